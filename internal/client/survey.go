package client

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// A table is in the order of its keys, so that the newest instances can be
// anywhere. A survey reads until it has seen all that match or one of these is
// used up, and then tries a shorter time. Where few may match, it looks for
// fewRows at any time first.
const (
	surveyRows  = 10_000
	surveyPages = 20
	fewRows     = taskhub.MaxPage
)

// SurveyTop is the most rows that a survey returns.
const SurveyTop = 1000

// SurveyOptions say what to look for.
type SurveyOptions struct {
	Query taskhub.Query
	// Top is how many of the newest instances are returned; at most SurveyTop.
	Top int
}

// Survey is what a hub has of one kind of instances, newest first.
type Survey struct {
	// Newest are the instances that were created last.
	Newest []*taskhub.Instance
	// Seen are all that were read, without their payloads: Newest and others.
	// All that match are among them, if they were created from Since on; zero:
	// at any time.
	Seen  []Seen
	Since time.Time
	// Partial means that not even the shortest time was read to its end: there
	// are more than Seen, and maybe newer ones.
	Partial bool
	// More means that there are others than Newest.
	More bool
	// Requests is how many pages of the table were read.
	Requests int
}

// Seen is what a survey keeps of an instance that it has read.
type Seen struct {
	Created       time.Time
	Status        history.Status
	Name, Version string
	Tags          map[string]string
	Parked        bool
}

// surveyWindows are the times that a survey tries, counted back from its end.
var surveyWindows = []time.Duration{24 * time.Hour, time.Hour, 5 * time.Minute}

// Survey finds the newest instances that match, and counts them, with a
// bounded number of requests. Where the query bounds the time of creation, that
// is the time; else it reads the last day, less where that is too much, and all
// where that is little.
func (c *Client) Survey(ctx context.Context, o SurveyOptions) (*Survey, error) {
	o.Top = min(max(o.Top, 1), SurveyTop)
	o.Query.WithoutPayloads, o.Query.Max = true, taskhub.MaxPage
	s := &surveyor{c: c, o: o, end: o.Query.CreatedTo}
	if s.end.IsZero() {
		s.end = c.now()
	}
	return s.run(ctx)
}

// surveyor is one survey on its way.
type surveyor struct {
	c   *Client
	o   SurveyOptions
	end time.Time
	// requests are those of the tries so far.
	requests int
}

func (s *surveyor) run(ctx context.Context) (*Survey, error) {
	if q := &s.o.Query; !q.CreatedFrom.IsZero() || !q.UpdatedFrom.IsZero() || q.Prefix != "" {
		return s.read(ctx, q.CreatedFrom, surveyRows)
	}
	if s.rare() {
		if all, err := s.read(ctx, time.Time{}, fewRows); err != nil || !all.Partial {
			return all, err
		}
	}
	for i, window := range surveyWindows {
		found, err := s.read(ctx, s.end.Add(-window), surveyRows)
		switch {
		case err != nil:
			return nil, err
		case found.Partial:
			continue
		case i == 0 && len(found.Seen) < s.o.Top:
			return s.wider(ctx, found)
		}
		return found, nil
	}
	return s.read(ctx, s.end.Add(-surveyWindows[len(surveyWindows)-1]), surveyRows)
}

// rare reports whether few instances may match, so that the service may return
// little for any time.
func (s *surveyor) rare() bool {
	return len(s.o.Query.Statuses) > 0 && !slices.Contains(s.o.Query.Statuses, history.Completed)
}

// wider reads everything. Where that is too much, the last day stands.
func (s *surveyor) wider(ctx context.Context, day *Survey) (*Survey, error) {
	all, err := s.read(ctx, time.Time{}, surveyRows)
	if err != nil || !all.Partial || len(day.Seen) == 0 {
		return all, err
	}
	day.Requests, day.More = s.requests, true
	return day, nil
}

// read reads what was created from a time on, up to about so many rows.
func (s *surveyor) read(ctx context.Context, from time.Time, rows int) (*Survey, error) {
	q := s.o.Query
	q.CreatedFrom = from
	found := &Survey{Since: from}
	for pages := 1; ; pages++ {
		page, err := s.c.store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		s.requests++
		found.add(page.Instances, s.o.Top)
		q.Token = page.Token
		if found.Partial = q.Token != ""; !found.Partial || pages == surveyPages || len(found.Seen) >= rows {
			break
		}
	}
	found.sort(s.o.Top)
	found.Requests = s.requests
	found.More = found.Partial || len(found.Seen) > len(found.Newest)
	return found, nil
}

// add takes a page. Now and then it drops what is not among the newest.
func (s *Survey) add(rows []*taskhub.Instance, top int) {
	for _, row := range rows {
		s.Seen = append(s.Seen, Seen{Created: row.Created, Status: row.Shown(), Name: row.Name, Version: row.Version, Tags: row.Tags, Parked: row.Parked != ""})
	}
	s.Newest = append(s.Newest, rows...)
	if len(s.Newest) > 2*SurveyTop {
		s.sort(top)
	}
}

func (s *Survey) sort(top int) {
	slices.SortFunc(s.Newest, func(a, b *taskhub.Instance) int {
		if later := b.Created.Compare(a.Created); later != 0 {
			return later
		}
		return strings.Compare(a.ID, b.ID)
	})
	if len(s.Newest) > top {
		clear(s.Newest[top:])
		s.Newest = s.Newest[:top]
	}
}

// NameCount counts the instances of an orchestrator.
type NameCount struct {
	Name          string
	Total, Failed int
}

// ByName counts the orchestrators, the most frequent first.
func (s *Survey) ByName() []NameCount {
	counts := map[string]*NameCount{}
	for i := range s.Seen {
		n := counts[s.Seen[i].Name]
		if n == nil {
			n = &NameCount{Name: s.Seen[i].Name}
			counts[n.Name] = n
		}
		n.Total++
		if s.Seen[i].Status == history.Failed {
			n.Failed++
		}
	}
	out := make([]NameCount, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, *counts[name])
	}
	slices.SortStableFunc(out, func(a, b NameCount) int { return b.Total - a.Total })
	return out
}
