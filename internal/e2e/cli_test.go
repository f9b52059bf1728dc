//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/internal/e2e/host"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// instances are the ids in the hub's table.
func instances(t *testing.T, h *host.Host) (ids []string) {
	t.Helper()
	service, err := aztables.NewServiceClientFromConnectionString(h.Options.Storage, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pager := service.NewClient(h.Options.Hub + "Instances").NewListEntitiesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, entity := range page.Entities {
			ids = append(ids, decode[struct{ PartitionKey string }](t, entity).PartitionKey)
		}
	}
	return ids
}

// cli is the Core Tools' command func durable in the directory of an app. It
// has an old engine of its own: it knows the official tables and writes
// messages in an old form.
type cli struct {
	h *host.Host
	// flags is the directory of the app's flag files.
	flags string
}

// run runs a command that must work, and returns what it printed.
func (c *cli) run(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := c.try(t, arguments...)
	if err != nil {
		t.Fatalf("func durable %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return out
}

func (c *cli) try(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(bounded(t), host.NeedFunc(t), append([]string{"durable"}, arguments...)...)
	cmd.Dir = c.h.Dir
	cmd.Env = append(os.Environ(), "AzureWebJobsStorage="+c.h.Options.Storage)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// says runs a command and checks that it prints the texts.
func (c *cli) says(t *testing.T, texts []string, arguments ...string) {
	t.Helper()
	out := c.run(t, arguments...)
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("func durable %s does not say %s:\n%s", strings.Join(arguments, " "), text, out)
		}
	}
}

// The Core Tools' commands and other programs work against a running app.
func TestTools(t *testing.T) {
	h, flags := runConformance(t, host.Options{})
	c := &cli{h, flags}
	for _, command := range []struct {
		name string
		test func(*testing.T, *cli)
	}{
		{"start-new of an unknown function", cliStartUnknown},
		{"get-instances, get-runtime-status, get-history", cliGet},
		{"start-new", cliStart},
		{"start-new of an instance that has completed", cliStartAgain},
		{"raise-event", cliRaise},
		{"terminate", cliTerminate},
		{"rewind", cliRewind},
		{"purge-history", cliPurge},
		{"another program", otherProgram},
		{"the unknown function", cliUnknown},
	} {
		t.Run(command.name, func(t *testing.T) { command.test(t, c) })
	}
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Run("delete-task-hub", func(t *testing.T) { cliDelete(t, c) })
}

// tellAll puts one telling of each kind into the inbox of an instance, of which
// its worker learns nothing.
func tellAll(t *testing.T, h *host.Host, id string) {
	t.Helper()
	hub := hubtest.Open(t, h.Options.Storage, h.Options.Hub, nil)
	for _, kind := range []history.Type{history.EventRaised, history.ExecutionSuspended, history.ExecutionResumed, history.ExecutionTerminated} {
		e := &history.Event{Type: kind, ID: history.NoID, Name: "e", Timestamp: time.Now()}
		if err := hub.Tell(t.Context(), id, &taskhub.Telling{ID: taskhub.NewGUID(), Sent: time.Now(), Event: e}); err != nil {
			t.Fatal(err)
		}
	}
}

func cliGet(t *testing.T, c *cli) {
	const id = "cli-get"
	starts(t, c.h, "ActThrowThenContinue", id, `{"a":1}`)
	if status, err := c.h.Wait(bounded(t), id); err != nil || status.RuntimeStatus != "Completed" {
		t.Fatalf("%+v, %v", status, err)
	}
	c.says(t, []string{id, "ActThrowThenContinue", "bnVsbA=="}, "get-instances", "--top", "1000")
	c.says(t, []string{id, `"OrchestrationStatus": 1`, `"Status": "null"`, `"Input": null`}, "get-runtime-status", "--id", id)
	c.says(t, []string{`"Input": "{\"a\":1}"`, `\"h\":\"Hello after!\"`}, "get-runtime-status", "--id", id, "--show-input", "true", "--show-output", "true")
	c.says(t, []string{"Could not find"}, "get-runtime-status", "--id", "no-such-id")
	// Nor does it show, or stumble over, what waits in the inbox.
	tellAll(t, c.h, id)
	out := c.run(t, "get-history", "--id", id)
	events := out[max(0, strings.Index(out, "[")):] // a remark about .NET comes first
	var kinds []string
	for _, event := range decode[[]struct{ EventType string }](t, []byte(events)) {
		if !strings.HasPrefix(event.EventType, "Orchestrator") { // ours has fewer of these
			kinds = append(kinds, event.EventType)
		}
	}
	want := []string{"ExecutionStarted", "TaskScheduled", "TaskFailed", "TaskScheduled", "TaskCompleted", "ExecutionCompleted"}
	if !slices.Equal(kinds, want) || !strings.Contains(out, "boom act") {
		t.Errorf("the history has %v, want %v:\n%s", kinds, want, out)
	}
}

func cliStart(t *testing.T, c *cli) {
	file := filepath.Join(t.TempDir(), "in.json")
	if err := os.WriteFile(file, []byte("{ \"file\": [ 1, 2 ] }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		name, orchestrator string
		arguments          []string
		status, output     string
	}{
		{"no-input", "TypeOfInput", nil, "Completed", `"null"`},
		{"json", "EchoInput", []string{"--input", `{"from":"cli","n":1}`}, "Completed", `"{\"from\":\"cli\",\"n\":1}"`},
		{"text", "EchoInput", []string{"--input", "plain text"}, "Completed", `"plain text"`},
		{"file", "EchoInput", []string{"--input", "@" + file}, "Completed", `{"file":[1,2]}`},
		{"chain", "Orchestrator", []string{"--task-hub-name", c.h.Options.Hub, "--connection-string-setting", "AzureWebJobsStorage"}, "Completed", labOutput},
	} {
		t.Run(s.name, func(t *testing.T) {
			id := "cli-start-" + s.name
			c.says(t, []string{id}, append([]string{"start-new", "--function-name", s.orchestrator, "--id", id}, s.arguments...)...)
			ends(t, c.h, id, s.status, s.output)
		})
	}
	t.Run("an id of its own", func(t *testing.T) {
		_, rest, _ := strings.Cut(c.run(t, "start-new", "--function-name", "Orchestrator"), "Instance ID: '")
		id, _, ok := strings.Cut(rest, "'")
		if !ok {
			t.Fatal("the command names no instance")
		}
		ends(t, c.h, id, "Completed", labOutput)
	})
}

// cliStartUnknown starts a function that nobody has. The app waits a minute for
// another one that might; cliUnknown finds what became of it.
func cliStartUnknown(t *testing.T, c *cli) {
	c.run(t, "start-new", "--function-name", "NoSuchFn", "--id", "cli-unknown")
}

func cliUnknown(t *testing.T, c *cli) {
	status := waitUntil(t, c.h, "cli-unknown", "Failed")
	if !strings.Contains(string(status.Output), "NoSuchFn") || !strings.Contains(string(status.Output), "EchoInput") {
		t.Errorf("the failure does not name the function and the known ones: %s", status.Output)
	}
}

func cliStartAgain(t *testing.T, c *cli) {
	const id = "cli-again"
	starts(t, c.h, "EchoInput", id, "1")
	ends(t, c.h, id, "Completed", "1")
	c.run(t, "start-new", "--function-name", "EchoInput", "--id", id, "--input", "2")
	eventually(t, "the new execution has completed", func() bool {
		status, err := c.h.Wait(bounded(t), id)
		return err == nil && status.RuntimeStatus == "Completed" && string(status.Output) == `"2"`
	})
}

func cliRaise(t *testing.T, c *cli) {
	const two, none = "cli-raise", "cli-raise-nothing"
	starts(t, c.h, "WaitTwoSeq", two, "null")
	starts(t, c.h, "TypeOfEvent", none, "null")
	c.run(t, "raise-event", "--id", "no-such-id", "--event-name", "Go", "--event-data", "1")
	c.run(t, "raise-event", "--id", two, "--event-name", "Go", "--event-data", `{"cli":true}`)
	c.run(t, "raise-event", "--id", two, "--event-name", "go", "--event-data", "plain words")
	c.run(t, "raise-event", "--id", none, "--event-name", "Go")
	ends(t, c.h, two, "Completed", `["{\"cli\":true}","plain words"]`)
	ends(t, c.h, none, "Completed", `"null"`)
}

func cliTerminate(t *testing.T, c *cli) {
	const id = "cli-terminate"
	starts(t, c.h, "Long", id, "null")
	waitUntil(t, c.h, id, "Running")
	c.says(t, []string{"Successfully terminated"}, "terminate", "--id", id, "--reason", "cli says so")
	ends(t, c.h, id, "Terminated", `"cli says so"`)
	c.run(t, "terminate", "--id", id, "--reason", "again")
	c.says(t, []string{"Failed to find instance"}, "terminate", "--id", "no-such-id", "--reason", "x")
	const completed = "cli-terminate-completed"
	starts(t, c.h, "EchoInput", completed, "1")
	ends(t, c.h, completed, "Completed", "1")
	if out, err := c.try(t, "terminate", "--id", completed, "--reason", "late"); err == nil {
		t.Errorf("the termination of a completed instance says:\n%s", out)
	}
	ends(t, c.h, completed, "Completed", "1")
	ends(t, c.h, id, "Terminated", `"cli says so"`)
}

func cliRewind(t *testing.T, c *cli) {
	const id, output = "cli-rewind", `["Hello one!","flag clear","Hello three!"]`
	flag := filepath.Join(c.flags, "flag-cli")
	if err := os.WriteFile(flag, []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	starts(t, c.h, "Rewindable", id, `"flag-cli"`)
	waitUntil(t, c.h, id, "Failed")
	if err := os.Remove(flag); err != nil {
		t.Fatal(err)
	}
	c.says(t, []string{"Status before rewind: Failed"}, "rewind", "--id", id, "--reason", "cli rewind")
	eventually(t, "the instance has completed after the rewind", func() bool {
		status, err := c.h.Wait(bounded(t), id)
		return err == nil && status.RuntimeStatus == "Completed" && string(status.Output) == output
	})
	c.run(t, "rewind", "--id", id, "--reason", "again")
	ends(t, c.h, id, "Completed", output)
	if out, err := c.try(t, "rewind", "--id", "no-such-id", "--reason", "x"); err == nil {
		t.Errorf("the rewind of an unknown instance says:\n%s", out)
	}
}

func cliPurge(t *testing.T, c *cli) {
	const id = "cli-purge"
	after := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	starts(t, c.h, "EchoInput", id, "1")
	ends(t, c.h, id, "Completed", "1")
	c.says(t, []string{"Instances deleted: 0"}, "purge-history", "--created-after", after, "--runtime-status", "failed")
	c.says(t, []string{"Instances deleted: 1"}, "purge-history", "--created-after", after, "--runtime-status", "completed")
	if slices.Contains(instances(t, c.h), id) {
		t.Errorf("%s is still there", id)
	}
	starts(t, c.h, "EchoInput", id, "2") // the id can be used again
	ends(t, c.h, id, "Completed", "2")
}

// cliDelete deletes the hub of the app, which has ended.
func cliDelete(t *testing.T, c *cli) {
	hub := c.h.Options.Hub
	c.says(t, []string{hub}, "delete-task-hub", "--task-hub-name", hub)
	tables, err := aztables.NewServiceClientFromConnectionString(c.h.Options.Storage, nil)
	if err != nil {
		t.Fatal(err)
	}
	queues, err := azqueue.NewServiceClientFromConnectionString(c.h.Options.Storage, nil)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for pager := tables.NewListTablesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range page.Tables {
			left = append(left, *table.Name)
		}
	}
	for pager := queues.NewListQueuesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, queue := range page.Queues {
			left = append(left, *queue.Name)
		}
	}
	for _, name := range []string{hub + "History", hub + "Instances", strings.ToLower(hub) + "-control-00", strings.ToLower(hub) + "-workitems"} {
		if slices.Contains(left, name) {
			t.Errorf("%s is still there", name)
		}
	}
}

// ends waits for an instance and checks how it ended.
func ends(t *testing.T, h *host.Host, id, status, output string) {
	t.Helper()
	got := waitUntil(t, h, id, status)
	if string(got.Output) != output {
		t.Fatalf("instance %s: %s %s, want %s", id, got.RuntimeStatus, got.Output, output)
	}
}

// waitUntil waits until an instance has a status.
func waitUntil(t *testing.T, h *host.Host, id, status string) *host.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last string
	for {
		reply, err := h.Do(ctx, "GET", "/api/durabletask/instances/"+id, nil)
		if err != nil {
			t.Fatalf("instance %s is not %s, but %s: %v", id, status, last, err)
		}
		got := &host.Status{}
		if last = string(reply.Body); json.Unmarshal(reply.Body, got) == nil && got.RuntimeStatus == status {
			return got
		}
		if finished := []string{"Completed", "Failed", "Terminated"}; slices.Contains(finished, got.RuntimeStatus) {
			t.Fatalf("instance %s is not %s, but %s", id, status, last)
		}
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
	}
}
