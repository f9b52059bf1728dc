package history_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// TestBegan: the result of an activity keeps when it began in its row and in
// the inbox, and the official forms of the event do not have it.
func TestBegan(t *testing.T) {
	began := time.Date(2026, 3, 2, 12, 0, 0, 123456700, time.UTC)
	for _, kind := range []history.Type{history.TaskCompleted, history.TaskFailed} {
		e := &history.Event{Type: kind, ID: history.NoID, TaskID: 3, Timestamp: began.Add(time.Second), Own: history.Own{Options: history.BeganOptions(began)}}
		for name, raw := range map[string][]byte{"row": history.AppendRow(nil, "p", "r", "x", e, false), "inbox": history.AppendInboxRow(nil, "p", "r", e, nil)} {
			got, _, err := history.DecodeRow(raw)
			if err != nil || !history.Began(got).Equal(began) {
				t.Errorf("%v in the %s: %v, %v", kind, name, history.Began(got), err)
			}
		}
		plain := *e
		plain.Own = history.Own{}
		if !bytes.Equal(history.AppendAPI(nil, e), history.AppendAPI(nil, &plain)) || !bytes.Equal(history.AppendMessageEvent(nil, e), history.AppendMessageEvent(nil, &plain)) {
			t.Errorf("%v: the official forms have it", kind)
		}
	}
	for _, options := range []string{"", "{}", `{"began":"never"}`, `{"began":5}`, `{"began":"2026-03-02T12:00:00Z"`} {
		if got := history.Began(&history.Event{Type: history.TaskCompleted, Own: history.Own{Options: history.Payload(options)}}); !got.IsZero() {
			t.Errorf("%s: %v", options, got)
		}
	}
	if got := history.Began(&history.Event{Type: history.TaskScheduled, Own: history.Own{Options: history.BeganOptions(began)}}); !got.IsZero() {
		t.Errorf("an action has begun at %v", got)
	}
}
