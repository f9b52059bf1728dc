package client

import (
	"fmt"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

// triesOf reads a history: "0=NAME/HASH" asks for an activity, "0=NAME/HASH@ID"
// for a child, "-0" is a failure, "+0" a success, "~0" a timer.
func triesOf(t *testing.T, text string) []*history.Event {
	t.Helper()
	events := []*history.Event{{Type: history.ExecutionStarted, ID: history.NoID, Instance: history.InstanceRef{ExecutionID: "e"}}}
	for _, word := range strings.Fields(text) {
		e, failed, id := &history.Event{ID: history.NoID}, history.TaskFailed, int32(0)
		for _, before := range events {
			if before.Type == history.SubOrchestrationInstanceCreated && word[1:] == fmt.Sprint(before.ID) {
				failed = history.SubOrchestrationInstanceFailed
			}
		}
		var err error
		switch word[0] {
		case '-':
			e.Type = failed
			_, err = fmt.Sscanf(word[1:], "%d", &e.TaskID)
		case '+':
			e.Type = history.TaskCompleted
			_, err = fmt.Sscanf(word[1:], "%d", &e.TaskID)
		case '~':
			e.Type = history.TimerCreated
			_, err = fmt.Sscanf(word[1:], "%d", &e.ID)
		default:
			var child string
			word, child, _ = strings.Cut(word, "@")
			name, hash, _ := strings.Cut(word, "/")
			e.Type = history.TaskScheduled
			if child != "" {
				e.Type, e.InstanceID = history.SubOrchestrationInstanceCreated, child
			}
			_, err = fmt.Sscanf(name, "%d=%s", &id, &e.Name)
			e.ID = id
			if err == nil && hash != "" {
				_, err = fmt.Sscanf(hash, "%d", &e.Own.InputHash)
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", word, err)
		}
		events = append(events, e)
	}
	return events
}

// The failures of calls that were made again after them are not those that are
// taken out, but the last one is.
func TestLastTries(t *testing.T) {
	for _, c := range []struct{ why, history, want string }{
		{"one try", "0=A/1 -0", "0"},
		{"a retry policy", "0=A/1 -0 ~1 2=A/1 -2 ~3 4=A/1 -4 5=B/1 +5", "4"},
		{"side by side", "0=A/1 1=A/1 -0 -1 2=B/1 +2", "0 1"},
		{"side by side, each again", "0=A/1 1=A/1 -1 ~2 -0 ~3 4=A/1 5=A/1 -4 -5", "4 5"},
		{"side by side, each again and later", "0=A/1 1=A/1 -1 ~2 -0 ~3 4=A/1 -4 5=A/1 -5", "4 5"},
		{"other inputs", "0=A/1 -0 1=A/2 -1 2=B/1 +2", "0 1"},
		{"inputs that nobody knows", "0=A -0 1=A -1 2=B/1 +2", "0 1"},
		{"again, and well", "0=A/1 -0 1=A/1 +1", "0"},
		{"a child with the default id", "0=A/1@e:0 -0 ~1 2=A/1@e:2 -2 3=B/1 +3", "2"},
		{"an id of its own", "0=A/1@k -0 ~1 2=A/2@k -2 3=B/1 +3", "2"},
		{"ids of their own", "0=A/1@k -0 1=A/1@l -1 2=B/1 +2", "0 1"},
		{"the id went to a child that runs", "0=A/1@k -0 1=A/1@k", ""},
	} {
		events := triesOf(t, c.history)
		var got []string
		failures := failuresOf(events, func(int, *history.Event) bool { return true })
		for _, i := range callsOf(events).lastTries(failures) {
			got = append(got, fmt.Sprint(events[i].TaskID))
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}
