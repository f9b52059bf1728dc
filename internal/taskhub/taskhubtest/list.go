package taskhubtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// all reads a list page by page and counts the pages.
func all(t *testing.T, h Harness, q taskhub.Query) (rows []*taskhub.Instance, pages int) {
	t.Helper()
	for {
		page := value(h.Store.List(t.Context(), q))(t)
		pages++
		if len(page.Instances) > q.Size() {
			t.Fatalf("a page of %d rows, at most %d were asked for", len(page.Instances), q.Size())
		}
		rows = append(rows, page.Instances...)
		if page.Token == "" {
			return rows, pages
		}
		q.Token = page.Token
	}
}

func ids(rows []*taskhub.Instance) []string {
	out := []string{}
	for _, row := range rows {
		out = append(out, row.ID)
	}
	return out
}

// listed are the instances that the cases of List look for.
func listed(t *testing.T, h Harness) {
	t.Helper()
	add := func(id string, change func(*taskhub.Instance)) {
		r := row(id)
		change(r)
		must(t, h.Store.Insert(t.Context(), r))
	}
	add("@counter@k", func(*taskhub.Instance) {})
	add("a", func(r *taskhub.Instance) { r.Status = history.Completed })
	add("ab", func(r *taskhub.Instance) { r.Status, r.Name = history.Failed, "Other" })
	add("a'c", func(r *taskhub.Instance) { r.Created = moment.Add(time.Hour) })
	add("b%20", func(r *taskhub.Instance) { r.Status = history.Running })
	add("p", func(r *taskhub.Instance) { r.Status, r.Parked = history.Running, "why" })
	add("q", func(r *taskhub.Instance) { r.Status, r.Parked = history.Completed, "once" })
	add("s", func(r *taskhub.Instance) {
		r.Status, r.Tags = history.Suspended, map[string]string{"a": "b", "c": "d'"}
	})
	add("r", func(r *taskhub.Instance) { r.Generation = new(int32) })
	add("r:0", func(r *taskhub.Instance) { r.Generation = nil })
	add("v", func(r *taskhub.Instance) { r.Version, r.Updated = "2'0", moment.Add(48*time.Hour) })
	add("Ü日", func(r *taskhub.Instance) { r.Output = history.Payload("out") })
	add("x/y", func(*taskhub.Instance) {})
}

func listFilters(t *testing.T, h Harness) {
	listed(t, h)
	cases := []struct {
		name string
		q    taskhub.Query
		want string
	}{
		{"all", taskhub.Query{Entities: true}, "@counter@k a a'c ab b%20 p q r r:0 s v x/y Ü日"},
		{"no entities", taskhub.Query{}, "a a'c ab b%20 p q r r:0 s v x/y Ü日"},
		{"prefix", taskhub.Query{Prefix: "a"}, "a a'c ab"},
		{"prefix with a quote", taskhub.Query{Prefix: "a'"}, "a'c"},
		{"prefix that is escaped", taskhub.Query{Prefix: "x/"}, "x/y"},
		{"prefix beyond ASCII", taskhub.Query{Prefix: "Ü"}, "Ü日"},
		{"prefix of entities", taskhub.Query{Prefix: "@c", Entities: true}, "@counter@k"},
		{"prefix of entities without entities", taskhub.Query{Prefix: "@c"}, ""},
		{"last rune", taskhub.Query{Prefix: "\U0010FFFF"}, ""},
		{"name", taskhub.Query{Name: "oTHER"}, "ab"},
		{"name with statuses", taskhub.Query{Name: "OTHER", Statuses: []history.Status{history.Failed, history.Suspended}, CreatedFrom: moment, CreatedTo: moment}, "ab"},
		{"beginning of a name", taskhub.Query{Name: "othe"}, ""},
		{"more than a name", taskhub.Query{Name: "other's"}, ""},
		{"statuses", taskhub.Query{Statuses: []history.Status{history.Completed, history.Failed}}, "a ab q"},
		{"running", taskhub.Query{Statuses: []history.Status{history.Running}}, "b%20"},
		{"suspended", taskhub.Query{Statuses: []history.Status{history.Suspended}}, "p s"},
		{"no status", taskhub.Query{Statuses: []history.Status{}}, ""},
		{"created from", taskhub.Query{CreatedFrom: moment.Add(time.Minute)}, "a'c"},
		{"created to", taskhub.Query{Prefix: "a", CreatedTo: moment}, "a ab"},
		{"created at", taskhub.Query{Prefix: "a", CreatedFrom: moment.Add(time.Hour), CreatedTo: moment.Add(time.Hour)}, "a'c"},
		{"created never", taskhub.Query{CreatedFrom: moment, CreatedTo: moment.Add(-time.Hour)}, ""},
		{"tags", taskhub.Query{Tags: map[string]string{"a": "b", "c": "d'"}}, "s"},
		{"other tags", taskhub.Query{Tags: map[string]string{"c": "e"}}, ""},
		{"version", taskhub.Query{Version: "2'0"}, "v"},
		{"other version", taskhub.Query{Version: "2"}, ""},
		{"roots", taskhub.Query{Prefix: "r", Roots: true}, "r"},
		{"updated from", taskhub.Query{UpdatedFrom: moment.Add(48 * time.Hour)}, "v"},
		{"updated never", taskhub.Query{UpdatedFrom: moment.Add(49 * time.Hour)}, ""},
		{"everything", taskhub.Query{Prefix: "s", Name: "o", Statuses: []history.Status{history.Suspended}, CreatedFrom: moment, CreatedTo: moment}, "s"},
	}
	for _, c := range cases {
		for _, size := range []int{0, 2} {
			c.q.Max = size
			rows, _ := all(t, h, c.q)
			if got := strings.Join(ids(rows), " "); got != c.want {
				t.Errorf("%s, pages of %d: %q, want %q", c.name, size, got, c.want)
			}
		}
	}
}

// listedRows are as Instance reads them.
func listedRows(t *testing.T, h Harness) {
	listed(t, h)
	whole, _ := all(t, h, taskhub.Query{Entities: true})
	bare, _ := all(t, h, taskhub.Query{Entities: true, WithoutPayloads: true})
	if len(whole) != len(bare) || len(whole) != 13 {
		t.Fatalf("%d rows and %d rows", len(whole), len(bare))
	}
	for i, got := range whole {
		want := value(h.Store.Instance(t.Context(), got.ID))(t)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		want.Input, want.Output = nil, nil
		if !reflect.DeepEqual(bare[i], want) {
			t.Errorf("without payloads %+v\nwant %+v", bare[i], want)
		}
	}
}

// listPages reads many rows with few requests.
func listPages(t *testing.T, h Harness) {
	const n = 2500
	var want []string
	for i := range n {
		r := row(fmt.Sprintf("i%05d", i))
		r.Input, r.Tags = nil, nil
		must(t, h.Store.Insert(t.Context(), r))
		want = append(want, r.ID)
	}
	for size, most := range map[int]int{1000: 3, 5000: 3, 250: 11} {
		before := h.requests()
		rows, pages := all(t, h, taskhub.Query{Max: size})
		if !slices.Equal(ids(rows), want) {
			t.Errorf("pages of %d: %d rows", size, len(rows))
		}
		// The first page may be empty.
		if sent := h.requests() - before; pages > most+1 || sent > pages {
			t.Errorf("pages of %d: %d pages, %d requests", size, pages, sent)
		}
	}
}

func listTokens(t *testing.T, h Harness) {
	for i := range 5 {
		must(t, h.Store.Insert(t.Context(), row(fmt.Sprint("i", i))))
	}
	page := value(h.Store.List(t.Context(), taskhub.Query{Max: 2}))(t)
	for len(page.Instances) == 0 && page.Token != "" {
		page = value(h.Store.List(t.Context(), taskhub.Query{Max: 2, Token: page.Token}))(t)
	}
	good := page.Token
	if len(page.Instances) != 2 || good == "" {
		t.Fatalf("the first two of five rows: %+v", page)
	}
	swapped := []byte(good)
	swapped[3] ^= 1
	for _, bad := range []string{"x", "%%%", good[:len(good)-1], good + "A", string(swapped), strings.Repeat("A", 1<<20), taskhub.EncodeToken("other", "a", "b"), "bm90aGluZw"} {
		if page, err := h.Store.List(t.Context(), taskhub.Query{Token: bad}); !errors.Is(err, taskhub.ErrToken) {
			t.Errorf("token %.40q: %+v, %v", bad, page, err)
		}
	}
	// A row that is gone when its page is read does no harm.
	value(h.Store.Purge(t.Context(), "i2", ""))(t)
	page = value(h.Store.List(t.Context(), taskhub.Query{Max: 2, Token: good}))(t)
	if got := ids(page.Instances); !slices.Equal(got, []string{"i3", "i4"}) {
		t.Errorf("the page after the first: %v", got)
	}
}

func replaceSecret(t *testing.T, h Harness) {
	replace := func(old, new string) error {
		return h.Store.ReplaceSecret(t.Context(), "keys.json", []byte(old), []byte(new))
	}
	if err := replace("one", "two"); !errors.Is(err, taskhub.ErrChanged) {
		t.Errorf("a missing secret: %v", err)
	}
	value(h.Store.Secrets(t.Context(), "keys.json", []byte("one")))(t)
	must(t, replace("one", "two"))
	must(t, replace("one", "two"))
	if err := replace("one", "three"); !errors.Is(err, taskhub.ErrChanged) {
		t.Errorf("an old secret: %v", err)
	}
	if got := value(h.Store.Secrets(t.Context(), "keys.json", nil))(t); string(got) != "two" {
		t.Errorf("secret %q", got)
	}
}
