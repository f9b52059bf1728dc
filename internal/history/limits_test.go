package history_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"pgregory.net/rapid"
)

func TestLimits(t *testing.T) {
	long := strings.Repeat("x", history.MaxName)
	year := func(y int) error {
		return history.CheckTime("the time", time.Date(y, time.January, 1, 0, 0, 0, 0, time.UTC))
	}
	tag := func(name, value string) error { return history.CheckTags(map[string]string{name: value}) }
	for name, c := range map[string]struct {
		err  error
		text string // empty: allowed
	}{
		"year 1":                  {year(1), "year 1:"},
		"year -3":                 {year(-3), "year -3:"},
		"year 1600":               {year(1600), "1601 to 9999"},
		"year 1601":               {year(1601), ""},
		"year 9999":               {year(9999), ""},
		"last tick":               {history.CheckTime("the time", history.MaxTime), ""},
		"year 10000":              {year(10000), "the time is in the year 10000"},
		"year 292277026596":       {history.CheckTime("the time", time.Unix(1<<62, 0)), "the time is in the year"},
		"name":                    {history.CheckName("an activity", long), ""},
		"odd name":                {history.CheckName("an event", `a "b" <&> ü 😀 'c' / # ?`), ""},
		"no name":                 {history.CheckName("an activity", ""), "the name of an activity has 1 to 256 bytes, not 0"},
		"long name":               {history.CheckName("an event", long+"x"), "not 257"},
		"name with a line":        {history.CheckName("an event", "a\nb"), "control"},
		"name with a C1 control":  {history.CheckName("an event", "a\u0085b"), "control"},
		"name that is no UTF-8":   {history.CheckName("an event", "a\xff"), "UTF-8"},
		"no version":              {history.CheckVersion(""), ""},
		"version":                 {history.CheckVersion("1.2.3-beta"), ""},
		"long version":            {history.CheckVersion(long + "x"), "not 257"},
		"version that is no text": {history.CheckVersion("\x00"), "control"},
		"no tags":                 {history.CheckTags(nil), ""},
		"odd tag":                 {tag(`a "b" ü`, "line\nline\ttab"), ""},
		"tag without a name":      {tag("", "x"), "1 to 256"},
		"tag of the engine":       {tag(history.FireAndForget, ""), "another name"},
		"tag of a class":          {tag("$type", ""), "another name"},
		"tag that is no UTF-8":    {tag("a", "\xff"), "UTF-8"},
		"largest tags":            {tag("a", strings.Repeat("x", history.MaxTags-len(`{"a":""}`))), ""},
		"tags too large":          {tag("a", strings.Repeat("x", history.MaxTags)), "at most 30720"},
		"tags too large escaped":  {tag("a", strings.Repeat("\n", history.MaxTags/2)), "at most 30720"},
		"id":                      {history.CheckInstanceID("order-7 ü'\""), ""},
		"no id":                   {history.CheckInstanceID(""), "empty"},
		"id of an entity":         {history.CheckInstanceID("@a@b"), "@"},
		"step in a path":          {history.CheckInstanceID("."), "step in a path"},
		"two steps in a path":     {history.CheckInstanceID(".."), "step in a path"},
		"id with a slash":         {history.CheckInstanceID("a/b"), "'/'"},
		"long id":                 {history.CheckInstanceID(long + "x"), "256"},
		"custom status":           {history.CheckCustomStatus(make([]byte, history.MaxCustomStatus/2)), ""},
		"large custom status":     {history.CheckCustomStatus(make([]byte, history.MaxCustomStatus/2+1)), "16 KB"},
	} {
		t.Run(name, func(t *testing.T) {
			switch {
			case (c.err == nil) != (c.text == ""):
				t.Errorf("got %v, want %q", c.err, c.text)
			case c.err != nil && !strings.Contains(c.err.Error(), c.text):
				t.Errorf("got %v, want %q", c.err, c.text)
			case c.err != nil && !errors.As(c.err, new(*history.LimitError)) && !strings.Contains(name, "custom status"):
				t.Errorf("%T is no LimitError", c.err)
			}
		})
	}
}

// What the limits allow comes back from a row as it was.
func TestWhatTheLimitsAllowIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.Just("O")).Draw(t, "name")
		tags := rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, "tags")
		at := time.Unix(rapid.Int64Range(-70_000_000_000, 300_000_000_000).Draw(t, "second"), rapid.Int64Range(0, 9_999_999).Draw(t, "tick")*100).UTC()
		if history.CheckStart("an orchestrator", name, name, tags) != nil || history.CheckTime("the time", at) != nil {
			return
		}
		e := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: at, ScheduledStart: at, Name: name, Version: name, Tags: tags,
			Instance: history.InstanceRef{InstanceID: "i", ExecutionID: "e"}}
		got, _, err := history.DecodeRow(history.AppendRow(nil, "i", "1", "e", e, true))
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != name || got.Version != name || !maps.Equal(got.Tags, tags) || !got.Timestamp.Equal(at) || !got.ScheduledStart.Equal(at) {
			t.Errorf("got %+v, want %+v", got, e)
		}
	})
}

// A reason is shown as the text that it was, whatever it looks like.
func TestReasonsAreText(t *testing.T) {
	for reason, want := range map[string]string{
		"": "", "because": "because", "42": `"42"`, "true": `"true"`, "null": `"null"`, `{"a":1}`: `"{\"a\":1}"`, `"quoted"`: `"\"quoted\""`,
		`"half`: `"half`, "<&>": "<&>", " 7 ": `" 7 "`,
	} {
		p := history.ReasonText(reason)
		if string(p) != want || history.PlainReason(p) != reason || string(history.ShownReason(p)) != want {
			t.Errorf("%q is kept as %q and shown as %q, read as %q", reason, p, history.ShownReason(p), history.PlainReason(p))
		}
	}
	for sent, want := range map[string]string{"42": `"42"`, `{"a":1}`: `"{\"a\":1}"`, `"text"`: `"text"`, "plain": "plain"} {
		if got := history.ShownReason(history.Payload(sent)); string(got) != want {
			t.Errorf("%s of another client is shown as %s, want %s", sent, got, want)
		}
	}
}
