package management

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// entityFacts is an entity as a list shows it: as its row was written last.
type entityFacts struct {
	ID      history.EntityID `json:"entityId"`
	Changed *time.Time       `json:"lastOperationTime,omitempty"`
	Exists  bool             `json:"exists"`
	// Waiting is how many requests waited for it then, LockedBy who held its lock.
	Waiting  int    `json:"waiting,omitempty"`
	LockedBy string `json:"lockedBy,omitempty"`
	State    *text  `json:"state,omitempty"`
	Error    string `json:"error,omitempty"`
}

func entityRows(rows []client.EntityRow) []entityFacts {
	out := make([]entityFacts, len(rows))
	for i := range rows {
		row := &rows[i]
		out[i] = entityFacts{ID: row.ID, Changed: Moment(row.Changed), Exists: row.Exists, Waiting: row.QueueSize, LockedBy: row.LockedBy, State: textOf(row.State, previewBytes)}
		if row.Err != nil {
			out[i].Error = row.Err.Error()
		}
	}
	return out
}

// entityView is what is known of one entity.
type entityView struct {
	entityFacts
	Lock *lockFacts `json:"lock,omitempty"`
	// Backlog are the requests that come next; More means that there are others.
	Backlog []waitingFacts `json:"backlog"`
	More    bool           `json:"more,omitempty"`
	NextDue *time.Time     `json:"nextDue,omitempty"`
	// Operations are the last ones, the newest first.
	Operations []operationFacts `json:"operations"`
	Now        time.Time        `json:"now"`
}

type lockFacts struct {
	Owner     string     `json:"owner"`
	Execution string     `json:"executionId"`
	Section   string     `json:"section"`
	Since     *time.Time `json:"since,omitempty"`
	// Orphan means that the owner does not run any more.
	Orphan bool `json:"orphan,omitempty"`
}

// waitingFacts is a request of the backlog.
type waitingFacts struct {
	// Kind is operation, signal, lock, release or unreadable.
	Kind      string     `json:"kind"`
	Operation string     `json:"operation,omitempty"`
	By        string     `json:"by,omitempty"`
	Section   string     `json:"section,omitempty"`
	Stored    *time.Time `json:"stored,omitempty"`
	Due       *time.Time `json:"due,omitempty"`
	Input     *text      `json:"input,omitempty"`
	Error     string     `json:"error,omitempty"`
}

type operationFacts struct {
	Operation string     `json:"operation"`
	At        *time.Time `json:"at,omitempty"`
	By        string     `json:"by,omitempty"`
	Error     string     `json:"error,omitempty"`
}

// backlogShown is how many requests of a backlog an answer has.
const backlogShown = 100

// entityDetails answers GET entities/{name}/{key}/details.
func (c *call) entityDetails(w http.ResponseWriter, r *http.Request) {
	id := c.entity()
	top, err := c.query.count("top", backlogShown, taskhub.MaxPage)
	var v *client.EntityView
	if err == nil {
		v, err = c.Client.InspectEntity(r.Context(), id, top)
	}
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	c.writeView(w, r, viewOf(id, v, c.Client.Now()))
}

func viewOf(id history.EntityID, v *client.EntityView, now time.Time) entityView {
	out := entityView{
		entityFacts: entityFacts{ID: id, Changed: Moment(v.Changed), Exists: v.State != nil, Waiting: v.Waiting, LockedBy: v.LockedBy, State: textOf(v.State, previewBytes)},
		Backlog:     []waitingFacts{}, More: v.More, NextDue: Moment(v.NextDue), Operations: []operationFacts{}, Now: now,
	}
	if v.Lock != nil {
		out.Lock = &lockFacts{Owner: v.Lock.Owner, Execution: v.Lock.Execution, Section: v.Lock.Section, Since: Moment(v.Lock.Since), Orphan: v.Orphan}
	}
	for i := range v.Backlog {
		out.Backlog = append(out.Backlog, waitingFactsOf(&v.Backlog[i]))
	}
	for i := len(v.Recent) - 1; i >= 0; i-- {
		d := v.Recent[i]
		out.Operations = append(out.Operations, operationFacts{d.Operation, Moment(d.At), d.By, d.Error})
	}
	return out
}

func waitingFactsOf(w *client.EntityWaiting) waitingFacts {
	f := waitingFacts{
		Kind: "operation", Operation: w.Operation, By: w.By, Section: w.Section, Stored: Moment(w.Stored), Due: Moment(w.Due), Input: textOf(w.Input, previewBytes),
	}
	switch {
	case w.Err != nil:
		f.Kind, f.Error = "unreadable", w.Err.Error()
	case w.Release:
		f.Kind = "release"
	case w.Lock:
		f.Kind = "lock"
	case w.Signal:
		f.Kind = "signal"
	}
	return f
}

// Bounds of the wait for the answer of an entity.
const (
	callWaits    = 30 * time.Second
	maxCallWaits = 200
)

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// callEntity answers POST entities/{name}/{key}/call?op=OPERATION: it asks for the operation
// and waits for the answer. The request stays where the time is over: the same request
// with its id gets the answer then.
func (c *call) callEntity(w http.ResponseWriter, r *http.Request) {
	request, wait, err := c.entityCall(w, r)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	answer, err := c.Client.CallEntity(ctx, request)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && r.Context().Err() == nil && errors.Is(err, context.DeadlineExceeded):
		writeJSON(w, http.StatusAccepted, append(history.AppendString([]byte(`{"requestId":`), request.ID), '}'))
	case err != nil:
		c.writeFailure(w, r, err)
	default:
		c.writeView(w, r, answerOf(request.ID, answer))
	}
}

// entityCall reads what an entity is asked for, and how long to wait.
func (c *call) entityCall(w http.ResponseWriter, r *http.Request) (request client.EntityRequest, wait time.Duration, err error) {
	request = client.EntityRequest{Entity: c.entity(), Operation: c.query.get("op"), ID: c.query.get("requestId")}
	if request.Operation == "" {
		return request, 0, &parameterError{"op", "", "the name of an operation"}
	}
	switch {
	case request.ID == "":
		request.ID = taskhub.NewGUID()
	case !guid.MatchString(request.ID):
		return request, 0, &parameterError{"requestId", request.ID, "a GUID in lower case, with dashes"}
	}
	seconds, err := c.query.count("timeout", int(callWaits/time.Second), maxCallWaits)
	if err == nil {
		request.Input, err = ReadInput(w, r, c.Client.MaxPayload())
	}
	return request, time.Duration(seconds) * time.Second, err
}

// entityAnswer is the answer of an entity to a call.
type entityAnswer struct {
	RequestID string `json:"requestId"`
	// Result is the JSON of the result; absent: there is none.
	Result  json.RawMessage `json:"result,omitempty"`
	Failure *failureFacts   `json:"failure,omitempty"`
}

type failureFacts struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

func answerOf(id string, a *history.EntityAnswer) entityAnswer {
	out := entityAnswer{RequestID: id}
	switch {
	case a.Failure != nil:
		out.Failure = &failureFacts{a.Failure.ErrorType, a.Failure.ErrorMessage}
	case a.Result != nil:
		out.Result = appendValue(nil, a.Result)
	}
	return out
}

// cleanBudget is after how long a clean answers with what it has done.
const cleanBudget = 20 * time.Second

// cleanEntities answers POST entities/clean.
func (c *call) cleanEntities(w http.ResponseWriter, r *http.Request) {
	what := client.Cleaning{
		Empty: c.query.boolean("removeEmpty", false), Locks: c.query.boolean("releaseOrphanedLocks", false), Token: c.query.get("token"), Budget: cleanBudget,
	}
	if !what.Empty && !what.Locks {
		c.writeFailure(w, r, &parameterError{"removeEmpty", "", "true, or releaseOrphanedLocks=true: there is nothing to clean otherwise"})
		return
	}
	var done client.Cleaned
	var err error
	if what.EmptyFor, err = c.query.seconds("emptyFor"); err == nil {
		done, err = c.Client.CleanEntities(r.Context(), what)
	}
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	c.writeView(w, r, struct {
		Removed  int    `json:"emptyEntitiesRemoved"`
		Released int    `json:"orphanedLocksReleased"`
		Token    string `json:"token,omitempty"`
	}{done.Removed, done.Released, done.Token})
}
