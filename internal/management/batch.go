package management

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Bounds of one batch request: how long it goes on, how many instances it works
// on at the same time, and how many pages a count reads.
const (
	batchBudget  = 10 * time.Second
	batchPage    = 100
	batchAtOnce  = 8
	countedPages = 20
	// reportedFailures is how many failures an answer names.
	reportedFailures = 20
)

// operation is one that can be done to many instances.
type operation struct {
	// statuses that an instance must have.
	statuses []history.Status
	do       func(c *call, ctx context.Context, row *taskhub.Instance) error
}

var unfinished = []history.Status{history.Pending, history.Running, history.Suspended}

var batchOperations = map[string]operation{
	"terminate": {unfinished, func(c *call, ctx context.Context, row *taskhub.Instance) error {
		return c.Client.Terminate(ctx, row.ID, c.query.get("reason"), client.TerminateOptions{})
	}},
	"suspend": {[]history.Status{history.Pending, history.Running}, func(c *call, ctx context.Context, row *taskhub.Instance) error {
		return c.Client.Suspend(ctx, row.ID, c.query.get("reason"))
	}},
	"resume": {[]history.Status{history.Suspended}, func(c *call, ctx context.Context, row *taskhub.Instance) error {
		return c.Client.Resume(ctx, row.ID, c.query.get("reason"))
	}},
	"rewind": {[]history.Status{history.Failed}, func(c *call, ctx context.Context, row *taskhub.Instance) error {
		return c.Client.Rewind(ctx, row.ID, c.query.get("reason"))
	}},
	"restart": {finished, func(c *call, ctx context.Context, row *taskhub.Instance) error {
		if err := c.Check(row.Name); err != nil {
			return err
		}
		_, err := c.Client.Restart(ctx, row.ID, client.RestartOptions{})
		return err
	}},
	"purge": {finished, func(c *call, ctx context.Context, row *taskhub.Instance) error {
		_, err := c.Client.Purge(ctx, row.ID, client.PurgeOptions{})
		return err
	}},
}

// batchResult is the answer of a batch request.
type batchResult struct {
	// Matched is how many instances were found, Done to how many it was done.
	Matched int `json:"matched"`
	Done    int `json:"done"`
	// Failures are some of the others: those that changed meanwhile are there.
	Failures []batchFailure `json:"failures"`
	Failed   int            `json:"failed"`
	// More means that there are others; Token is where to go on.
	More  bool   `json:"more"`
	Token string `json:"token,omitempty"`
}

type batchFailure struct {
	InstanceID string `json:"instanceId"`
	Message    string `json:"message"`
}

// batch answers POST batch/{operation}: it does the operation to the instances
// that match, as long as a request may take, and says where to go on. With
// dryRun=true it counts them.
func (c *call) batch(w http.ResponseWriter, r *http.Request) {
	op, ok := batchOperations[strings.ToLower(c.name)]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	q, dry, err := c.batchFilter(op)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	var result batchResult
	if dry {
		result, err = c.countBatch(r.Context(), q)
	} else {
		result, err = c.runBatch(r.Context(), op, q)
	}
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	c.writeView(w, r, result)
}

func (c *call) batchFilter(op operation) (q taskhub.Query, dry bool, err error) {
	if q, err = c.searchFilter(); err != nil {
		return q, false, err
	}
	wanted := op.statuses
	if q.Statuses != nil {
		wanted = slices.DeleteFunc(slices.Clone(q.Statuses), func(s history.Status) bool { return !slices.Contains(op.statuses, s) })
	}
	q.Statuses, q.WithoutPayloads, q.Token = wanted, true, c.query.get("token")
	dry, err = c.query.choice("dryRun", false)
	return q, dry, err
}

func (c *call) countBatch(ctx context.Context, q taskhub.Query) (r batchResult, err error) {
	q.Max = taskhub.MaxPage
	r.Failures = []batchFailure{}
	for range countedPages {
		page, err := c.Client.List(ctx, q)
		if err != nil {
			return r, err
		}
		r.Matched += len(page.Instances)
		q.Token = page.Token
		if r.More = q.Token != ""; !r.More {
			break
		}
	}
	return r, nil
}

func (c *call) runBatch(ctx context.Context, op operation, q taskhub.Query) (r batchResult, err error) {
	q.Max = batchPage
	r.Failures = []batchFailure{}
	for begun := time.Now(); ; {
		page, err := c.Client.List(ctx, q)
		if err != nil {
			return r, err
		}
		c.each(ctx, op, page.Instances, &r)
		q.Token, r.Token = page.Token, page.Token
		if r.More = r.Token != ""; !r.More || time.Since(begun) > batchBudget {
			return r, nil
		}
	}
}

// each does the operation to the instances of a page.
func (c *call) each(ctx context.Context, op operation, rows []*taskhub.Instance, r *batchResult) {
	var mu sync.Mutex // guards r
	var wg sync.WaitGroup
	slots := make(chan struct{}, batchAtOnce)
	for _, row := range rows {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			err := op.do(c, ctx, row)
			mu.Lock()
			defer mu.Unlock()
			r.Matched++
			if err == nil {
				r.Done++
				return
			}
			if r.Failed++; len(r.Failures) < reportedFailures {
				r.Failures = append(r.Failures, batchFailure{row.ID, c.reason(err)})
			}
		})
	}
	wg.Wait()
}

// reason is what the caller may know of a failure.
func (c *call) reason(err error) string {
	for _, known := range []error{taskhub.ErrNotFound, client.ErrFinished, client.ErrNotFinished, client.ErrNotFailed, client.ErrSuspended, client.ErrNotSuspended, taskhub.ErrChanged} {
		if errors.Is(err, known) {
			return err.Error()
		}
	}
	return c.trouble("a batch operation", err)
}
