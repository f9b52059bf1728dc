package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// outcomeCase is a command and what it must answer. Texts of several parts are
// separated by | and must come in this order.
type outcomeCase struct {
	args          string
	code          int
	out, problems string
}

// inOrderOf reports whether a text has all parts, one behind the other.
func inOrderOf(text, parts string) bool {
	for part := range strings.SplitSeq(parts, "|") {
		_, rest, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

// checkWays runs commands both ways: through storage, and through the app.
func (a *liveApp) checkWays(t *testing.T, cases []outcomeCase) {
	t.Helper()
	for way, flags := range a.ways() {
		for _, c := range cases {
			a.check(t, way, flags, c)
		}
	}
}

func (a *liveApp) check(t *testing.T, way string, flags []string, c outcomeCase) {
	t.Helper()
	got := durableTool(t, append(strings.Fields(c.args), flags...)...)
	if got.code != c.code || !inOrderOf(got.out, c.out) || !inOrderOf(got.problems, c.problems) || c.out == "" && got.out != "" {
		t.Errorf("%s, through %s: code %d\n%s\n%s\nwant %d with %q and %q", c.args, way, got.code, got.out, got.problems, c.code, c.out, c.problems)
	}
}

// What people and scripts ask of instances is the same through the storage account and
// through the app.
func TestReading(t *testing.T) {
	a := startApp(t)
	direct := a.ways()["storage"]
	for _, c := range []outcomeCase{
		{`run Greet --id g-1 --input "Ann" --tag region=eu`, 0, `"Hello Ann"`, ""},
		{"run Refuse --id r-1", unsuccessfulCode, "", "r-1: Failed|out of stock"},
		{"run Ask --id a-1 --timeout 1ms", timeoutCode, "", "not ended after 1ms; it goes on"},
	} {
		a.check(t, "storage", direct, c)
	}
	a.untilStatus(t, "a-1", "Running")
	a.checkWays(t, []outcomeCase{
		{"list", 0, "INSTANCE|ORCHESTRATOR|STATUS|CREATED|UPDATED|a-1|Ask|Running|r-1|Refuse|Failed|g-1|Greet|Completed", ""},
		{"list --status Completed -o wide", 0, "COMPLETED|TAGS|CUSTOM STATUS|g-1|Greet|region=eu|greeting", ""},
		{"list --tag region=eu --name gREET --prefix g --since 1h --roots -o jsonl", 0, `{"instanceId":"g-1","name":"Greet","runtimeStatus":"Completed"`, ""},
		{"list --prefix nothing", 0, "INSTANCE", "No instance matches"},
		{"list --prefix nothing -o json", 0, "[]\n", "No instance matches"},
		{"list --max 1", 0, "a-1", "There are more: --max 1"},
		{"count", 0, "3\n", ""},
		{"count --status Failed,Running -o json", 0, `{"count":2}`, ""},
		{"count --by status", 0, "STATUS|COUNT|Completed|1|Failed|1|Running|1", ""},
		{"count --by name -o jsonl", 0, `{"value":"Ask","count":1}`, ""},
		{"show g-1", 0, "Instance:|g-1|Orchestrator:|Greet|Status:|Completed|Tags:|region=eu|Custom status:|\"greeting\"|Input:|\"Ann\"|Output:|\"Hello Ann\"", ""},
		{"show a-1 -o wide", 0, "Running|Waits for:|event", ""},
		{"history g-1", 0, "EVENT|TIME|TYPE|WHAT|ExecutionStarted|Greet|TaskScheduled|SayHello|TaskCompleted|of call 0|ExecutionCompleted|Completed", ""},
		{"history g-1 --follow -o wide", 0, "ExecutionStarted|\"Ann\"|TaskCompleted|\"Hello Ann\"", ""},
		{"history r-1 -o jsonl", 0, `"type":"ExecutionStarted"|"type":"ExecutionCompleted"`, ""},
		{"wait g-1", 0, "\"Hello Ann\"\n", ""},
		{"wait g-1 -o jsonl", 0, `"output":"Hello Ann"`, ""},
		{"wait r-1 -o json", unsuccessfulCode, `"runtimeStatus": "Failed"`, "out of stock"},
		{"wait a-1 --timeout 1ms", timeoutCode, "", "it goes on"},
		{"wait nobody", absentCode, "", "instance nobody: there is no such instance"},
		{"show nobody", absentCode, "", "there is no such instance"},
		{"history nobody", absentCode, "", "there is no such instance"},
		{"suspend nobody", absentCode, "", "there is no such instance"},
	})
	t.Run("json", func(t *testing.T) { a.checkJSON(t) })
	t.Run("bad input", func(t *testing.T) { a.checkBadInput(t) })
	t.Run("completion", func(t *testing.T) { a.checkCompletion(t) })
	t.Run("interrupted output", func(t *testing.T) { a.checkInterrupted(t) })
	a.checkFollow(t)
}

// full is an output that takes nothing, like that of a pipe whose reader has gone.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("nobody reads this") }

// A script does not take for whole what could not be written.
func (a *liveApp) checkInterrupted(t *testing.T) {
	for _, args := range []string{"list", "list -o json", "list -o jsonl", "count", "count --by name", "show g-1", "show g-1 -o json", "history g-1 -o wide", "history g-1 -o jsonl", "wait g-1", "wait g-1 -o table"} {
		for way, flags := range a.ways() {
			var problems bytes.Buffer
			if code := run(t.Context(), append(strings.Fields(args), flags...), full{}, &problems); code != failedCode || !strings.Contains(problems.String(), "nobody reads this") {
				t.Errorf("%s, through %s: code %d, %s", args, way, code, problems.String())
			}
		}
	}
}

// untilStatus waits until the table shows a status.
func (a *liveApp) untilStatus(t *testing.T, id, status string) {
	t.Helper()
	for !strings.Contains(durableTool(t, "show", id, "--url", a.url).out, status) {
		if t.Context().Err() != nil {
			t.Fatal("it does not get there")
		}
	}
}

// JSON is whole: payloads are values, however long they are.
func (a *liveApp) checkJSON(t *testing.T) {
	long := strings.Repeat("n", 5000)
	for way, flags := range a.ways() {
		id := "long-" + way
		got := durableTool(t, append([]string{"run", "Greet", "--id", id, "--input", `"` + long + `"`, "-o", "json"}, flags...)...)
		var shown struct{ InstanceID, Input, Output, CustomStatus, RuntimeStatus string }
		if err := json.Unmarshal([]byte(got.out), &shown); err != nil || got.code != 0 {
			t.Fatalf("%s: %v, %+v", way, err, got)
		}
		if shown.InstanceID != id || shown.Output != "Hello "+long || shown.Input != long || shown.CustomStatus != "greeting" {
			t.Errorf("%s: %.300s", way, got.out)
		}
		if table := durableTool(t, append([]string{"show", id}, flags...)...); !strings.Contains(table.out, "(5002 bytes; -o json shows them)") {
			t.Errorf("%s: the table has\n%.300s", way, table.out)
		}
	}
}

func (a *liveApp) checkBadInput(t *testing.T) {
	a.checkWays(t, []outcomeCase{
		{"list -o xml", usageCode, "", "table, wide, json, jsonl"},
		{"list --max 0", usageCode, "", "--max 0"},
		{"list --max 1001", usageCode, "", "durable count"},
		{"list --status Asleep", failedCode, "", "Asleep"},
		{"list --tag novalue", failedCode, "", "novalue"},
		{"list --since yesterday", usageCode, "", "--since"},
		{"list --from yesterday", failedCode, "", "yesterday"},
		{"list g-1", usageCode, "", "want: durable list"},
		{"count --by age", usageCode, "", "--by age"},
		{"show", usageCode, "", "want: durable show ID"},
		{"show a b", usageCode, "", "want: durable show ID"},
		{"wait", usageCode, "", "want: durable wait ID"},
		{"wait g-1 --timeout -1s", usageCode, "", "--timeout"},
		{"history g-1 --every 0s", usageCode, "", "--every"},
		{"history g-1 --follow -o json", usageCode, "", "jsonl"},
		{"run Greet --input @/nowhere.json", failedCode, "", "/nowhere.json"},
		{"run Greet --input {", failedCode, "", "JSON"},
	})
	for args, c := range map[string]outcomeCase{
		"list --hub Another --dir " + a.dir:     {"", failedCode, "", "task hub Another cannot be read"},
		"list --dir /nowhere":                   {"", failedCode, "", "host.json"},
		"list --url http://127.0.0.1:1":         {"", failedCode, "", "refused"},
		"list --url " + a.url + "/other":        {"", failedCode, "", "serves no /api/durabletask"},
		"list --url x --hub y":                  {"", usageCode, "", "--hub is for storage"},
		"wait g-1 --url http://127.0.0.1:1":     {"", failedCode, "", "refused"},
		"history g-1 --hub None --dir " + a.dir: {"", failedCode, "", "task hub None cannot be read"},
	} {
		c.args = args
		a.check(t, "it", nil, c)
	}
}

// The shell is told what there is.
func (a *liveApp) checkCompletion(t *testing.T) {
	for way, flags := range a.ways() {
		for args, want := range map[string][]string{
			"show|g-":             {"g-1"},
			"run|gr":              {"Greet"},
			"list|--name|r":       {"Refuse"},
			"list|--status|Fa":    {"Failed"},
			"list|--status|Fa,R":  nil,
			"purge|--status|F,Co": {"F,Completed"},
			"count|--by|":         {"status", "name"},
			"show|x|-o|js":        {"json", "jsonl"},
			"wait|g-1|":           nil,
		} {
			words := strings.Split(args, "|")
			last := len(words) - 1
			call := slices.Concat([]string{"__complete"}, words[:1], flags, words[1:last], []string{words[last]})
			got := durableTool(t, call...)
			lines := strings.Split(strings.TrimSpace(got.out), "\n")
			if found := lines[:len(lines)-1]; !slices.Equal(found, want) && (len(found) > 0 || len(want) > 0) {
				if args == "list|--status|Fa,R" && slices.Equal(found, []string{"Fa,Running"}) {
					continue
				}
				t.Errorf("%s through %s: %q, want %q", args, way, found, want)
			}
		}
	}
}

// A history that is followed goes on as it grows, and ends with the instance.
func (a *liveApp) checkFollow(t *testing.T) {
	type ended struct{ outcome }
	results := make(chan ended)
	ways := a.ways()
	for _, flags := range ways {
		go func() {
			results <- ended{durableTool(t, append([]string{"history", "a-1", "-f", "--every", "10ms", "-o", "jsonl"}, flags...)...)}
		}()
	}
	if got := durableTool(t, "event", "a-1", "Answer", "--data", `"yes"`, "--url", a.url); got.code != 0 || got.out != "" {
		t.Errorf("%+v", got)
	}
	for range ways {
		got := <-results
		if got.code != 0 || !inOrderOf(got.out, "ExecutionStarted|EventRaised|ExecutionCompleted") || bytes.Count([]byte(got.out), []byte("ExecutionStarted")) != 1 {
			t.Errorf("%d %s%s", got.code, got.out, got.problems)
		}
	}
}

// Nothing that an instance is called moves the cursor.
func TestPlain(t *testing.T) {
	for text, want := range map[string]string{"order-7": "order-7", "a\x1b[2Jb": "a\ufffd[2Jb", "a\nb\tc": "a b c", "größe 中": "größe 中"} {
		if got := plain(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// Progress is for terminals: a buffer, a pipe and a file get none of it.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	cmd := newRoot()
	cmd.SetErr(&out)
	p := newProgress(cmd)
	p.say("%d done", 1)
	p.end()
	if out.Len() > 0 {
		t.Errorf("a buffer gets %q", out.String())
	}
	p = &progress{w: &out}
	p.say("%d done", 1)
	p.say("%d done", 2)
	p.end()
	p.end()
	if got := out.String(); got != "\r\x1b[K1 done\r\x1b[K2 done\r\x1b[K" {
		t.Errorf("a terminal gets %q", got)
	}
}
