package history_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"pgregory.net/rapid"
)

func fixtures(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in %s: %v", dir, err)
	}
	out := map[string][]byte{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = bytes.TrimSpace(raw)
	}
	return out
}

// canonical decodes JSON into maps, so that the order of members is no matter,
// without what we leave out on purpose: class names of dictionaries.
func canonical(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return withoutDictionaryClasses(v)
}

func withoutDictionaryClasses(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if class, _ := v["$type"].(string); strings.HasPrefix(class, "System.Collections.Generic.Dictionary") {
			delete(v, "$type")
		}
		for key := range v {
			v[key] = withoutDictionaryClasses(v[key])
		}
	case []any:
		for i := range v {
			v[i] = withoutDictionaryClasses(v[i])
		}
	}
	return v
}

// unread are events that we never write and read without their content.
var unread = map[string]bool{"HistoryState": true}

func TestMessageEventsAreTheOfficialOnes(t *testing.T) {
	for name, raw := range fixtures(t, "events-typed") {
		t.Run(name, func(t *testing.T) {
			e, err := history.DecodeMessageEvent(raw)
			if err != nil {
				t.Fatal(err)
			}
			if unread[e.Type.String()] {
				return
			}
			got := history.AppendMessageEvent(nil, e)
			if want := canonical(t, raw); !reflect.DeepEqual(canonical(t, got), want) {
				t.Errorf("got  %s\nwant %s", got, raw)
			}
			if !bytes.Contains(raw, []byte("System.Collections")) && !bytes.Equal(got, raw) {
				t.Errorf("order differs:\ngot  %s\nwant %s", got, raw)
			}
		})
	}
}

func TestRowsAreTheOfficialOnes(t *testing.T) {
	for name, raw := range fixtures(t, "history-rows") {
		t.Run(name, func(t *testing.T) {
			e, at, err := history.DecodeRow(raw)
			if err != nil {
				t.Fatal(err)
			}
			if unread[e.Type.String()] {
				return
			}
			var keys struct{ PartitionKey string }
			if err := json.Unmarshal(raw, &keys); err != nil {
				t.Fatal(err)
			}
			got := history.AppendRow(nil, keys.PartitionKey, at.RowKey, at.ExecutionID, e, true)
			if !reflect.DeepEqual(withTexts(t, got), withTexts(t, raw)) {
				t.Errorf("got  %s\nwant %s", got, raw)
			}
		})
	}
}

// withTexts decodes a row and the JSON texts in its columns.
func withTexts(t *testing.T, raw []byte) any {
	row := canonical(t, raw).(map[string]any)
	for _, column := range []string{"ParentInstance", "FailureDetails", "ParentTraceContext", "OrchestrationInstance", "Tags"} {
		if text, ok := row[column].(string); ok {
			row[column] = canonical(t, []byte(text))
		}
	}
	return row
}

func TestHistoryAPI(t *testing.T) {
	for name, raw := range fixtures(t, "history-json") {
		t.Run(name, func(t *testing.T) {
			events, err := history.DecodeAPI(raw)
			if err != nil {
				t.Fatal(err)
			}
			got := canonical(t, history.AppendAPIArray(nil, events)).([]any)
			want := canonical(t, raw).([]any)
			// The last one is a HistoryState, whose content we do not keep.
			if !reflect.DeepEqual(got[:len(got)-1], want[:len(want)-1]) {
				t.Errorf("got  %v\nwant %s", got, raw)
			}
		})
	}
}

// TestReaderTolerance has the variations that official readers accept.
func TestReaderTolerance(t *testing.T) {
	const body = `"Name":"Approval","Input":"1","EventId":-1,"IsPlayed":false,"Timestamp":"2026-03-02T10:16:00Z"}`
	cases := []struct {
		name, raw string
		ok        bool
	}{
		{"as written", `{"$type":"DurableTask.Core.History.EventRaisedEvent","EventType":15,` + body, true},
		{"class not first", `{"EventType":15,"$type":"DurableTask.Core.History.EventRaisedEvent",` + body, true},
		{"with assembly", `{"$type":"DurableTask.Core.History.EventRaisedEvent, DurableTask.Core",` + body, true},
		{"number of an old version", `{"$type":"DurableTask.Core.History.EventRaisedEvent","EventType":14,` + body, true},
		{"number as text", `{"$type":"DurableTask.Core.History.EventRaisedEvent","EventType":"EventRaised",` + body, true},
		{"unknown member", `{"$type":"DurableTask.Core.History.EventRaisedEvent","Else":[1],` + body, true},
		{"no class", `{"EventType":15,` + body, false},
		{"unknown class", `{"$type":"foo.Bar",` + body, false},
		{"no JSON", `{`, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, err := history.DecodeMessageEvent([]byte(c.raw))
			if (err == nil) != c.ok {
				t.Fatalf("error %v", err)
			}
			if c.ok && (e.Type != history.EventRaised || e.Name != "Approval" || string(e.Input) != "1" || e.ID != history.NoID) {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func payloads() *rapid.Generator[history.Payload] {
	return rapid.Custom(func(t *rapid.T) history.Payload {
		if rapid.Bool().Draw(t, "absent") {
			return nil
		}
		return history.Payload(rapid.String().Draw(t, "text"))
	})
}

func moments() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		ticks := rapid.Int64Range(0, 4e9*1e7).Draw(t, "ticks")
		return time.Unix(0, 0).Add(time.Duration(ticks % 1e17 * 100)).UTC()
	})
}

// TestRoundTrip writes and reads completions, which carry free texts, in each
// of the forms.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &history.Event{
			Type: history.TaskFailed, ID: history.NoID, TaskID: rapid.Int32().Draw(t, "task"),
			Reason: payloads().Draw(t, "reason"), Details: payloads().Draw(t, "details"), Timestamp: moments().Draw(t, "time"),
			Failure: &history.FailureDetails{
				ErrorType: rapid.String().Draw(t, "type"), ErrorMessage: rapid.String().Draw(t, "message"),
				StackTrace: payloads().Draw(t, "stack"), NonRetriable: rapid.Bool().Draw(t, "final"),
			},
		}
		message, err := history.DecodeMessageEvent(history.AppendMessageEvent(nil, e))
		if err != nil || !reflect.DeepEqual(message, e) {
			t.Fatalf("message: %v\ngot  %+v\nwant %+v", err, message, e)
		}
		shown, err := history.DecodeAPI(history.AppendAPIArray(nil, []*history.Event{e}))
		if err != nil || !reflect.DeepEqual(shown[0], e) {
			t.Fatalf("API: %v\ngot  %+v\nwant %+v", err, shown, e)
		}
		e.Own = history.Own{Lease: "l", Message: "m", InputHash: rapid.Uint64().Draw(t, "hash"), Options: payloads().Draw(t, "options")}
		row, at, err := history.DecodeRow(history.AppendRow(nil, "p", "r", "x", e, false))
		if err != nil || !reflect.DeepEqual(row, e) || at != (history.Row{RowKey: "r", ExecutionID: "x"}) {
			t.Fatalf("row: %v %v\ngot  %+v\nwant %+v", err, at, row, e)
		}
	})
}

func FuzzDecoders(f *testing.F) {
	f.Add([]byte(`{"$type":"DurableTask.Core.History.TaskCompletedEvent","TaskScheduledId":1}`))
	f.Add([]byte(`{"EventType":"ExecutionStarted","Tags":"{}"}`))
	f.Add([]byte(`[{"EventType":5}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if e, err := history.DecodeMessageEvent(raw); err == nil {
			if _, err := history.DecodeMessageEvent(history.AppendMessageEvent(nil, e)); err != nil {
				t.Errorf("what was read cannot be read again: %v", err)
			}
		}
		_, _ = history.DecodeAPI(raw)
		_, _, _ = history.DecodeRow(raw)
	})
}
