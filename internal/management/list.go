package management

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// tokenHeader carries the place where the next page of a list begins.
const tokenHeader = "X-Ms-Continuation-Token"

var (
	finished  = []history.Status{history.Completed, history.Failed, history.Terminated, history.Canceled}
	anyStatus = append([]history.Status{history.Pending, history.Running, history.Suspended, history.ContinuedAsNew}, finished...)
)

// list answers GET instances: one page. The page can have fewer instances than
// asked for, even none, while the header names a next one.
func (c *call) list(w http.ResponseWriter, r *http.Request) {
	q, err := c.filter(r)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	page, err := c.Client.List(r.Context(), q)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	if page.Token != "" {
		w.Header().Set(tokenHeader, page.Token)
	}
	writePage(w, page.Instances, c.query.boolean("showInput", true))
}

// flushBytes is how much of a list is kept before it is sent.
const flushBytes = 1 << 20

// writePage writes the rows one after the other, each forgotten when it is
// written: they may have large payloads.
func writePage(w http.ResponseWriter, rows []*taskhub.Instance, showInput bool) {
	body := []byte{'['}
	flush := func() {
		w.Header().Set("Content-Type", contentType)
		// A caller that is gone is no error of ours.
		_, _ = w.Write(body)
		body = body[:0]
	}
	for i, row := range rows {
		rows[i] = nil
		if i > 0 {
			body = append(body, ',')
		}
		for _, part := range statusParts(row, showInput) {
			if len(body)+len(part) > flushBytes {
				flush()
			}
			if len(part) > flushBytes {
				_, _ = w.Write(part)
				continue
			}
			body = append(body, part...)
		}
	}
	body = append(body, ']')
	if w.Header().Get("Content-Type") == "" {
		writeJSON(w, http.StatusOK, body)
		return
	}
	flush()
}

// filter reads what to list.
func (c *call) filter(r *http.Request) (q taskhub.Query, err error) {
	q = taskhub.Query{Prefix: c.query.get("instanceIdPrefix"), Entities: true, Token: r.Header.Get(tokenHeader)}
	if q.Statuses, err = c.query.statuses("runtimeStatus", anyStatus...); err != nil {
		return q, err
	}
	if q.CreatedFrom, q.CreatedTo, err = c.query.between("createdTimeFrom", "createdTimeTo"); err != nil {
		return q, err
	}
	q.WithoutInput = !c.query.boolean("showInput", true)
	q.Max, err = c.query.count("top", taskhub.DefaultPage, taskhub.MaxPage)
	return q, err
}

// purge answers DELETE instances/{id}.
func (c *call) purge(w http.ResponseWriter, r *http.Request) {
	children, err := c.recursive()
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	result, err := c.Client.Purge(r.Context(), c.id, client.PurgeOptions{Children: children})
	c.purged(w, r, result, err)
}

// errCreatedFrom has the official text. A purge of everything must be said, as
// one from 0001-01-01 on.
var errCreatedFrom = errors.New("Please provide value for 'createdTimeFrom' parameter.")

// purgeBudget is how long a purge by filter goes on before it answers with what
// it has done.
const purgeBudget = 3 * time.Minute

// purgeMany answers DELETE instances: finished instances that were created in a
// range of time.
func (c *call) purgeMany(w http.ResponseWriter, r *http.Request) {
	f, err := c.purgeFilter()
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	result, err := c.Client.PurgeAll(r.Context(), f, nil)
	c.purged(w, r, result, err)
}

func (c *call) purgeFilter() (f client.PurgeFilter, err error) {
	f.Budget = purgeBudget
	if f.From, f.To, err = c.query.between("createdTimeFrom", "createdTimeTo"); err != nil {
		return f, err
	}
	if c.query.get("createdTimeFrom") == "" {
		return f, errCreatedFrom
	}
	if f.Statuses, err = c.query.statuses("runtimeStatus", finished...); err != nil {
		return f, err
	}
	f.Prefix = c.query.get("instanceIdPrefix")
	f.Children, err = c.recursive()
	return f, err
}

// purged answers a purge. One that ran out of time says so, and is asked for
// again.
func (c *call) purged(w http.ResponseWriter, r *http.Request, result client.PurgeResult, err error) {
	if err == nil && result.Complete && result.Instances == 0 {
		err = taskhub.ErrNotFound
	}
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	body := strconv.AppendInt([]byte(`{"instancesDeleted":`), int64(result.Instances), 10)
	if !result.Complete {
		body = append(body, `,"isComplete":false`...)
	}
	writeJSON(w, http.StatusOK, append(body, '}'))
}
