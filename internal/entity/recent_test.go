package entity

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// The last operations stand beside the state: the newest ten, with texts that are short
// whatever a caller has sent.
func TestRecent(t *testing.T) {
	d := &draft{}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 2 * maxRecent {
		d.did(&history.EntityRequest{Operation: fmt.Sprint("op", i), Parent: "caller"}, at, nil)
	}
	if len(d.recent) != maxRecent || d.recent[0].Operation != "op10" || d.recent[maxRecent-1] != (Done{Operation: "op19", At: at, By: "caller"}) {
		t.Errorf("%+v", d.recent)
	}
	long := strings.Repeat("ä", maxRecentText)
	d.did(&history.EntityRequest{Operation: long, Parent: long}, at, &history.FailureDetails{ErrorType: "E", ErrorMessage: long})
	got := d.recent[maxRecent-1]
	for _, text := range []string{got.Operation, got.By, got.Error} {
		if len(text) > maxRecentText+3 || !strings.HasSuffix(text, "ä...") {
			t.Errorf("%d bytes: %.20s", len(text), text)
		}
	}
}
