package management

import (
	"net/http"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// found is the answer of a search.
type found struct {
	Instances []rowFacts     `json:"instances"`
	Total     int            `json:"total"`
	More      bool           `json:"more"`
	Partial   bool           `json:"partial"`
	Since     *time.Time     `json:"since,omitempty"`
	ByStatus  map[string]int `json:"byStatus"`
	Parked    int            `json:"parked"`
	ByName    []nameCount    `json:"byName"`
	Versions  []string       `json:"versions"`
	Tags      []string       `json:"tags"`
	Histogram *histogram     `json:"histogram,omitempty"`
	// Requests is how many requests to storage the search took.
	Requests int       `json:"requests"`
	Now      time.Time `json:"now"`
}

type nameCount struct {
	Name   string `json:"name"`
	Total  int    `json:"total"`
	Failed int    `json:"failed"`
}

// search answers GET search: the newest instances that match, and how many
// there are of each kind.
func (c *call) search(w http.ResponseWriter, r *http.Request) {
	q, err := c.searchFilter()
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	top, err := c.query.count("top", taskhub.DefaultPage, client.SurveyTop)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	s, err := c.Client.Survey(r.Context(), client.SurveyOptions{Query: q, Top: top})
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	c.writeView(w, r, foundOf(s, c.Client.Now()))
}

// searchFilter reads which instances are meant. Entities are not.
func (c *call) searchFilter() (q taskhub.Query, err error) {
	q = taskhub.Query{Prefix: c.query.get("instanceIdPrefix"), Name: c.query.get("name"), Version: c.query.get("version")}
	if q.Statuses, err = c.query.statuses("runtimeStatus", anyStatus...); err != nil {
		return q, err
	}
	if q.CreatedFrom, q.CreatedTo, err = c.query.between("createdTimeFrom", "createdTimeTo"); err != nil {
		return q, err
	}
	if q.UpdatedFrom, err = c.query.moment("updatedTimeFrom"); err != nil {
		return q, err
	}
	if q.Tags, err = c.query.tags("tag"); err != nil {
		return q, err
	}
	q.Roots, err = c.query.choice("rootsOnly", false)
	return q, err
}

// maxTags bounds how many tags a request names.
const maxTags = 32

// tags reads parameters of the form name=value.
func (q query) tags(parameter string) (map[string]string, error) {
	var out map[string]string
	for _, pair := range q {
		if !strings.EqualFold(pair[0], parameter) {
			continue
		}
		name, value, ok := strings.Cut(pair[1], "=")
		if !ok || name == "" || len(out) == maxTags {
			return nil, &parameterError{parameter, pair[1], "a tag in the form name=value, or one of too many"}
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = value
	}
	return out, nil
}

func foundOf(s *client.Survey, now time.Time) found {
	out := found{
		Instances: make([]rowFacts, 0, len(s.Newest)), Total: len(s.Seen), More: s.More, Partial: s.Partial, Since: Moment(s.Since),
		ByStatus: map[string]int{}, ByName: []nameCount{}, Versions: []string{}, Tags: []string{}, Histogram: histogramOf(s.Seen), Requests: s.Requests, Now: now,
	}
	for _, row := range s.Newest {
		out.Instances = append(out.Instances, factsOf(row))
	}
	for _, n := range s.ByName() {
		out.ByName = append(out.ByName, nameCount(n))
	}
	versions, tags := map[string]bool{}, map[string]bool{}
	for i := range s.Seen {
		seen := &s.Seen[i]
		out.ByStatus[seen.Status.String()]++
		if seen.Parked && !seen.Status.Finished() {
			out.Parked++
		}
		out.Versions = distinct(out.Versions, versions, seen.Version)
		for name, value := range seen.Tags {
			out.Tags = distinct(out.Tags, tags, name+"="+value)
		}
	}
	return out
}

// maxSuggestions is how many values of a kind are suggested.
const maxSuggestions = 100

func distinct(list []string, seen map[string]bool, value string) []string {
	if value == "" || seen[value] || len(list) == maxSuggestions {
		return list
	}
	seen[value] = true
	return append(list, value)
}

// histogram counts the instances by the time of their creation.
type histogram struct {
	From    time.Time `json:"from"`
	Seconds float64   `json:"seconds"`
	Buckets []bucket  `json:"buckets"`
}

// bucket counts those of one piece of the time.
type bucket struct {
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Other     int `json:"other"`
}

const buckets = 60

// histogramOf divides the time from the first to the last creation; nil where
// there is none.
func histogramOf(seen []client.Seen) *histogram {
	var first, last time.Time
	for i := range seen {
		if at := seen[i].Created; !at.IsZero() {
			if first.IsZero() || at.Before(first) {
				first = at
			}
			if at.After(last) {
				last = at
			}
		}
	}
	if first.IsZero() {
		return nil
	}
	width := max(last.Sub(first)/buckets+1, time.Second)
	h := &histogram{From: first.UTC(), Seconds: width.Seconds(), Buckets: make([]bucket, last.Sub(first)/width+1)}
	for i := range seen {
		if seen[i].Created.IsZero() {
			continue
		}
		b := &h.Buckets[seen[i].Created.Sub(first)/width]
		switch seen[i].Status {
		case history.Completed:
			b.Completed++
		case history.Failed, history.Terminated, history.Canceled:
			b.Failed++
		default:
			b.Other++
		}
	}
	return h
}

// children answers GET instances/{id}/children.
func (c *call) children(w http.ResponseWriter, r *http.Request) {
	top, err := c.query.count("top", taskhub.DefaultPage, maxChildren)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	events, err := c.Client.History(r.Context(), c.id)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	list, total := childrenOf(events, top)
	if list == nil {
		list = []child{}
	}
	c.writeView(w, r, struct {
		Children []child `json:"children"`
		Total    int     `json:"total"`
	}{list, total})
}
