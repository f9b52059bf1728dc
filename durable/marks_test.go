package durable

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/durable-go/functions/handler/supervise"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// suspicions stand for the journal of a process.
type suspicions map[supervise.Code]int

func (s suspicions) Suspects() (out []supervise.Suspect, changed <-chan struct{}) {
	for c, n := range s {
		out = append(out, supervise.Suspect{Code: c, Deaths: n})
	}
	return out, nil
}

func (s suspicions) Accuse(a supervise.Suspect) { s[a.Code] = a.Deaths }

// marker is one of several instances of an app on one hub.
type marker struct {
	*hubMarks
	suspicions
	t *testing.T
}

func newMarker(t *testing.T, store taskhub.Store, owner string, now *time.Time) *marker {
	m := &marker{suspicions: suspicions{}, t: t}
	m.hubMarks = newMarks(store, m.suspicions, slog.New(slog.DiscardHandler))
	m.owner, m.now = owner, func() time.Time { return *now }
	return m
}

func (m *marker) shows(want map[supervise.Code]int) {
	m.t.Helper()
	if err := m.update(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	_, list, err := m.load(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	got := map[supervise.Code]int{}
	for _, mark := range list {
		got[mark.Code] = mark.Deaths
	}
	if !reflect.DeepEqual(got, want) {
		m.t.Fatalf("the hub shows %v, want %v", got, want)
	}
}

// What one instance of an app suspects the others learn when its message comes
// to them, and whoever acquits it tells all.
func TestSuspectsAreMarkedInTheHub(t *testing.T) {
	store, now := memory.New(memory.Options{}), time.Unix(1000, 0)
	a, b := newMarker(t, store, "a", &now), newMarker(t, store, "b", &now)
	turn := supervise.Code{Kind: supervise.Turn, Instance: "i", Execution: "x", Position: 3}
	act := supervise.Code{Kind: supervise.Activity, Instance: "\xffodd", Execution: "x"}
	a.suspicions[turn], b.suspicions[act] = 1, 1
	a.shows(map[supervise.Code]int{turn: 1})
	b.shows(map[supervise.Code]int{turn: 1, act: 1})
	b.learn(t.Context(), "i")
	if b.suspicions[turn] != 1 {
		t.Errorf("b knows %v, want what a suspects", b.suspicions)
	}
	b.suspicions[turn] = 2
	b.shows(map[supervise.Code]int{turn: 2, act: 1})
	delete(b.suspicions, turn) // tried, and free
	b.shows(map[supervise.Code]int{act: 1})
	delete(b.suspicions, act)
	b.shows(map[supervise.Code]int{})
}

func TestMarksOfAProcessAreTakenBackByItsNext(t *testing.T) {
	store, now := memory.New(memory.Options{}), time.Unix(1000, 0)
	first := newMarker(t, store, "a", &now)
	one, two := supervise.Code{Kind: supervise.Turn, Instance: "1"}, supervise.Code{Kind: supervise.Turn, Instance: "2"}
	first.suspicions[one] = 1
	first.shows(map[supervise.Code]int{one: 1})
	next := newMarker(t, store, "a", &now) // of the same supervisor
	next.suspicions[two] = 1
	next.shows(map[supervise.Code]int{two: 1})
}

func TestMarksOfAProcessThatIsGoneEnd(t *testing.T) {
	store, now := memory.New(memory.Options{}), time.Unix(1000, 0)
	a, b := newMarker(t, store, "a", &now), newMarker(t, store, "b", &now)
	one, two := supervise.Code{Kind: supervise.Turn, Instance: "1"}, supervise.Code{Kind: supervise.Turn, Instance: "2"}
	a.suspicions[one] = 1
	a.shows(map[supervise.Code]int{one: 1})
	now = now.Add(marksLast + 1)
	b.learn(t.Context(), "1")
	if len(b.suspicions) != 0 {
		t.Errorf("b has learnt %v", b.suspicions)
	}
	b.suspicions[two] = 1
	b.shows(map[supervise.Code]int{two: 1})
}

func TestMarksThatCannotBeReadBeginAnew(t *testing.T) {
	store, now := memory.New(memory.Options{}), time.Unix(1000, 0)
	if _, err := store.Secrets(t.Context(), marksName, []byte("{")); err != nil {
		t.Fatal(err)
	}
	a := newMarker(t, store, "a", &now)
	code := supervise.Code{Kind: supervise.Turn, Instance: "1"}
	a.suspicions[code] = 1
	a.shows(map[supervise.Code]int{code: 1})
}

func TestMarksAreBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	a := newMarker(t, memory.New(memory.Options{}), "a", &now)
	var list []mark
	for i := range maxMarks {
		list = append(list, mark{Suspect: supervise.Suspect{Code: supervise.Code{Position: int64(i)}, Deaths: 1}, Since: now})
	}
	merged := a.merge(list, []supervise.Suspect{{Code: supervise.Code{Kind: supervise.Turn}, Deaths: 1}})
	raw, err := json.Marshal(merged)
	if err != nil || len(merged) != maxMarks || merged[maxMarks-1].Code.Kind != supervise.Turn {
		t.Errorf("%d marks, %d bytes, %v; want %d with the newest", len(merged), len(raw), err, maxMarks)
	}
}
