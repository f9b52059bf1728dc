package taskhub_test

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Whatever an inbox row is, it is a telling or says why it is none; a telling
// that was read is written as a row that is read as the same.
func FuzzInboxRow(f *testing.F) {
	sent := time.Date(2026, 1, 2, 3, 4, 5, 6700, time.UTC)
	for _, t := range []*taskhub.Telling{
		{ID: "a", Origin: "o", Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E", Input: history.Payload(`{"a":1}`)}, Sent: sent, Due: sent.Add(time.Hour), Sequence: 3},
		{ID: "b", Event: &history.Event{Type: history.ExecutionTerminated, ID: history.NoID, Input: history.Payload("https://x/hub-largemessages/i/message-1.json.gz")}, Sent: sent},
	} {
		f.Add(taskhub.AppendInboxRow(nil, "i", t.Key(nil), t, nil))
	}
	f.Add([]byte(`{"RowKey":"u0000000000000000-0-a","GoTelling":5}`))
	f.Add([]byte(`{"RowKey":"t","EventType":"EventRaised"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		row := taskhub.DecodeInboxRow(raw, nil)
		_ = row.Control()
		if row.Err != nil {
			return
		}
		if row.Telling.ID == "" || row.Telling.Event == nil {
			t.Fatalf("%q: %+v", raw, row)
		}
		again := taskhub.DecodeInboxRow(taskhub.AppendInboxRow(nil, "i", row.Key, &row.Telling, nil), nil)
		if again.Err != nil || again.Telling.ID != row.Telling.ID || again.Telling.Origin != row.Telling.Origin || again.Key != row.Key || again.Telling.Event.Name != row.Telling.Event.Name {
			t.Fatalf("%q: %+v became %+v", raw, row, again)
		}
	})
}
