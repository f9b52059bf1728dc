package taskhubtest

import (
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// progress: the last one is kept, for each call of its own, until it is removed
// or its instance is purged.
func progress(t *testing.T, h Harness) {
	ctx, s := t.Context(), h.Store
	read := func(id, key, want string) {
		t.Helper()
		p, err := s.Progress(ctx, id, key)
		if err != nil || string(p) != want || (p == nil) != (want == "") {
			t.Errorf("progress %s of %s: %.60q %v, want %.60q", key, id, p, err, want)
		}
	}
	long := `"` + strings.Repeat("x", 100<<10) + `"`
	read("p1", "a", "")
	must(t, s.SaveProgress(ctx, "p1", "a", nil))
	for _, p := range []string{`1`, long, `3`} {
		must(t, s.SaveProgress(ctx, "p1", "a", history.Payload(p)))
		read("p1", "a", p)
	}
	must(t, s.SaveProgress(ctx, "p1", "b", history.Payload(`"b"`)))
	must(t, s.SaveProgress(ctx, "p", "1", history.Payload(`"other"`)))
	must(t, s.SaveProgress(ctx, "p1", "a", nil))
	read("p1", "a", "")
	read("p1", "b", `"b"`)
	row := &taskhub.Instance{ID: "p1", ExecutionID: "x", Name: "N", Status: history.Completed}
	must(t, s.Insert(ctx, row))
	if _, err := s.Purge(ctx, "p1", row.ETag); err != nil {
		t.Fatal(err)
	}
	read("p1", "b", "")
	read("p", "1", `"other"`)
}
