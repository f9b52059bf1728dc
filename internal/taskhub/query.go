package taskhub

import (
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Sizes of a page.
const (
	DefaultPage = 100
	MaxPage     = 1000
	// PageBytes is how many bytes the payloads of a page may have.
	PageBytes = 4 << 20
)

// Query says which instance rows to list. The zero Query lists all but
// entities.
type Query struct {
	// Prefix of the instance id.
	Prefix string
	// Name of the orchestrator, without case; empty: any.
	Name string
	// Statuses as Instance.Shown gives them; nil: any. An empty list that is
	// not nil matches nothing.
	Statuses []history.Status
	// CreatedFrom and CreatedTo are inclusive; zero: open.
	CreatedFrom, CreatedTo time.Time
	// UpdatedFrom is inclusive; zero: open.
	UpdatedFrom time.Time
	// Version of the orchestrator; empty: any.
	Version string
	// Roots leaves away what an orchestration has started: children, and
	// entities.
	Roots bool
	// Tags must all be there with these values.
	Tags map[string]string
	// Entities includes rows whose id begins with @.
	Entities bool
	// WithoutPayloads leaves Input and Output away.
	WithoutPayloads bool
	// WithoutInput leaves Input away.
	WithoutInput bool
	// Max bounds the rows of a page; 0 or less: DefaultPage; at most MaxPage.
	Max int
	// Token is Page.Token of the page before; empty: the first page. The rest
	// of the query should be the same from page to page.
	Token string
}

// Page is a part of a list. It may have fewer rows than Query.Max, even none,
// while there are more: the list ends where Token is empty. It ends before a row
// whose payloads would make it longer than PageBytes; its first row is there
// however long it is. A row that cannot be read by itself has an Err.
type Page struct {
	Instances []*Instance
	Token     string
}

// Size is the most rows that a page of the query has.
func (q *Query) Size() int {
	if q.Max <= 0 {
		return DefaultPage
	}
	return min(q.Max, MaxPage)
}

// Room counts the bytes of a page.
type Room struct{ rows, bytes int }

// Takes reports whether a row goes into the page, and counts it if so.
func (r *Room) Takes(row *Instance) bool {
	size := len(row.Input) + len(row.Output) + len(row.CustomStatus)
	if r.rows > 0 && r.bytes+size > PageBytes {
		return false
	}
	r.rows++
	r.bytes += size
	return true
}

// Full reports whether no further row goes into the page, however short.
func (r *Room) Full() bool { return r.bytes >= PageBytes }

// Empty reports whether nothing can match, whatever the store has.
func (q *Query) Empty() bool {
	return q.Statuses != nil && len(q.Statuses) == 0 || !q.Entities && strings.HasPrefix(q.Prefix, "@") ||
		!q.CreatedFrom.IsZero() && !q.CreatedTo.IsZero() && q.CreatedTo.Before(q.CreatedFrom)
}

// Match reports whether a row is asked for. A row that could not be read matches
// where only ids are asked for.
func (q *Query) Match(row *Instance) bool {
	if !strings.HasPrefix(row.ID, q.Prefix) || !q.Entities && strings.HasPrefix(row.ID, "@") {
		return false
	}
	if row.Err != nil {
		return q.idsOnly()
	}
	if q.Name != "" && !strings.EqualFold(q.Name, row.Name) || !q.matchStatus(row.Shown()) {
		return false
	}
	if q.Version != "" && q.Version != row.Version || q.Roots && row.Generation == nil ||
		row.Updated.Before(q.UpdatedFrom.Truncate(100*time.Nanosecond)) {
		return false
	}
	for name, value := range q.Tags {
		if have, ok := row.Tags[name]; !ok || have != value {
			return false
		}
	}
	// Storage keeps 100 ns.
	from, to := q.CreatedFrom.Truncate(100*time.Nanosecond), q.CreatedTo
	return !row.Created.Before(from) && (to.IsZero() || !row.Created.After(to))
}

// idsOnly reports whether the query asks for nothing but ids.
func (q *Query) idsOnly() bool {
	return q.Name == "" && q.Version == "" && !q.Roots && q.Statuses == nil && len(q.Tags) == 0 &&
		q.CreatedFrom.IsZero() && q.CreatedTo.IsZero() && q.UpdatedFrom.IsZero()
}

func (q *Query) matchStatus(status history.Status) bool {
	if q.Statuses == nil {
		return true
	}
	for _, wanted := range q.Statuses {
		if wanted == status {
			return true
		}
	}
	return false
}

// Shown is the status that people see: an instance that the engine stopped
// working on is Suspended, though the official column says Running.
func (i *Instance) Shown() history.Status {
	if i.Parked != "" && !i.Status.Finished() {
		return history.Suspended
	}
	return i.Status
}
