package hubcheck_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

const hubName = "TestHub"

// rig is a hub on an account that answers as the real service does.
type rig struct {
	*testing.T
	account *storage.Account
	hub     *azure.Hub
}

func newRig(t *testing.T) *rig {
	t.Helper()
	backend := fake.NewStrict(0)
	connection, err := storage.Parse(backend.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	account, err := storage.Open(connection, storage.Options{Transport: backend})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := azure.Open(account, hubName, azure.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t, account, hub}
	r.must(hub.Create(t.Context(), taskhub.Owner{}))
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// put merges columns into a row, which is made where it is missing.
func (r *rig) put(table, partition, key string, columns map[string]any) {
	r.Helper()
	entity := map[string]any{"PartitionKey": partition, "RowKey": key}
	for name, value := range columns {
		entity[name] = value
	}
	raw, err := json.Marshal(entity)
	r.must(err)
	_, err = r.account.Tables.NewClient(table).UpsertEntity(r.Context(), raw, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeMerge})
	r.must(err)
}

func (r *rig) instances(id string, columns map[string]any) {
	r.Helper()
	r.put(hubName+"Instances", id, "", columns)
}

func (r *rig) history(id, key string, columns map[string]any) {
	r.Helper()
	r.put(hubName+"History", id, key, columns)
}

func (r *rig) remove(table, partition, key string) {
	r.Helper()
	_, err := r.account.Tables.NewClient(table).DeleteEntity(r.Context(), partition, key, nil)
	r.must(err)
}

// removeBlobs deletes the blobs of an instance.
func (r *rig) removeBlobs(id string) {
	r.Helper()
	n := 0
	for b, err := range r.hub.RawBlobsOf(r.Context(), id) {
		r.must(err)
		r.must(r.hub.DeleteRawBlob(r.Context(), b))
		n++
	}
	if n == 0 {
		r.Fatalf("%s has no blobs", id)
	}
}

func (r *rig) blob(name, text string) {
	r.Helper()
	containers := r.account.Blobs.ServiceClient().NewContainerClient(strings.ToLower(hubName) + "-largemessages")
	_, _ = containers.Create(r.Context(), nil) // it may be there
	_, err := containers.NewBlockBlobClient(name).Upload(r.Context(), nopCloser{strings.NewReader(text)}, &blockblob.UploadOptions{})
	r.must(err)
}

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

// large does not fit a column.
var large = history.Payload(`"` + strings.Repeat("large", 20_000) + `"`)

func (r *rig) row(id string, status history.Status) *taskhub.Instance {
	r.Helper()
	now := time.Now().UTC()
	row := &taskhub.Instance{ID: id, ExecutionID: "e" + id, Origin: "e" + id, Name: "O", Status: status, Created: now, Updated: now}
	if status.Finished() {
		row.Completed = now
	}
	return row
}

func (r *rig) insert(row *taskhub.Instance) {
	r.Helper()
	r.must(r.hub.Insert(r.Context(), row))
}

// commit makes a history of a start and the events.
func (r *rig) commit(id string, awaits taskhub.Awaits, events ...*history.Event) taskhub.Fence {
	r.Helper()
	return r.commitChild(id, nil, awaits, events...)
}

func (r *rig) commitChild(id string, parent *history.Parent, awaits taskhub.Awaits, events ...*history.Event) taskhub.Fence {
	r.Helper()
	now := time.Now().UTC()
	ref := history.InstanceRef{InstanceID: id, ExecutionID: "e" + id}
	state := &taskhub.State{Origin: ref.ExecutionID, Awaits: awaits, Sent: 100, Parent: parent}
	all := []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: now},
		{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: now, Instance: ref, Name: "O", Parent: parent},
	}
	for _, e := range events {
		if e.Timestamp = now; e.Type == history.ExecutionCompleted {
			state.Ended, state.Outcome = true, e.Status
		}
		all = append(all, e)
	}
	all = append(all, &history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: now})
	f, err := r.hub.Commit(r.Context(), &taskhub.Commit{InstanceID: id, ExecutionID: ref.ExecutionID, Nonce: taskhub.NewID(), Time: now, Events: all, State: state})
	r.must(err)
	return f
}

// running makes an instance that waits for an event.
func (r *rig) running(id string) taskhub.Fence {
	r.Helper()
	r.insert(r.row(id, history.Running))
	return r.commit(id, taskhub.Awaits{})
}

func completed() *history.Event {
	return &history.Event{Type: history.ExecutionCompleted, ID: 0, Status: history.Completed, Result: history.Payload(`1`)}
}

// ended makes an instance that has completed and whose row shows the status.
func (r *rig) ended(id string, shown history.Status) taskhub.Fence {
	r.Helper()
	r.insert(r.row(id, shown))
	return r.commit(id, taskhub.Awaits{}, completed())
}

func (r *rig) tell(id string, data history.Payload) {
	r.Helper()
	now := time.Now().UTC()
	e := &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "other", Input: data, Timestamp: now}
	r.must(r.hub.Tell(r.Context(), id, &taskhub.Telling{ID: taskhub.GUID("telling", id), Event: e, Sent: now}))
}

func (r *rig) told(id string) string {
	r.Helper()
	in, err := r.hub.Look(r.Context(), id, taskhub.LookOptions{})
	r.must(err)
	return in.Rows[0].Key
}

func (r *rig) send(m *taskhub.Message) {
	r.Helper()
	_, err := r.hub.Send(r.Context(), taskhub.ControlQueue(hubName), m, 0)
	r.must(err)
}

// damage makes one kind of damage to the instance.
type damage struct {
	kind string
	// kept reports that a repair leaves it, because it is no fault or needs a person.
	kept bool
	make func(r *rig, id string)
}

var activity = &history.Event{Type: history.TaskScheduled, ID: 0, Name: "A"}

func child(id string) *history.Event {
	return &history.Event{Type: history.SubOrchestrationInstanceCreated, ID: 0, Name: "O", InstanceID: id}
}

// damages are done to a hub of their own each, named by their place.
var damages = []damage{
	{"key-invalid", false, func(r *rig, id string) {
		r.instances("a^z"+id, map[string]any{"Name": "O", "RuntimeStatus": "Running"})
	}},
	{"row-foreign", false, func(r *rig, id string) { r.running(id); r.put(hubName+"Instances", id, "x", nil) }},
	{"row-undecodable", false, func(r *rig, id string) { r.running(id); r.instances(id, map[string]any{"RuntimeStatus": "Sleeping"}) }},
	{"row-undecodable", false, func(r *rig, id string) { r.running(id); r.instances(id, map[string]any{"Tags": "{"}) }},
	{"row-undecodable", false, func(r *rig, id string) { r.instances(id, map[string]any{"RuntimeStatus": 7}) }},
	{"row-payload-missing", true, func(r *rig, id string) {
		row := r.row(id, history.Running)
		row.Input = large
		r.insert(row)
		r.commit(id, taskhub.Awaits{})
		r.removeBlobs(id)
	}},
	{"row-without-name", false, func(r *rig, id string) {
		row := r.row(id, history.Pending)
		row.Name = ""
		r.insert(row)
	}},
	{"history-foreign", true, func(r *rig, id string) {
		r.ended(id, history.Completed)
		r.history(id, "sentinel", map[string]any{"GoFormat": 99})
	}},
	{"sentinel-undecodable", false, func(r *rig, id string) { r.running(id); r.history(id, "sentinel", map[string]any{"GoNextRow": "zz"}) }},
	{"sentinel-undecodable", false, func(r *rig, id string) {
		r.running(id)
		r.history(id, "sentinel", map[string]any{"GoOutcome": "Slept"})
	}},
	{"sentinel-missing", false, func(r *rig, id string) { r.running(id); r.remove(hubName+"History", id, "sentinel") }},
	{"history-payload-missing", true, func(r *rig, id string) {
		r.insert(r.row(id, history.Running))
		r.commit(id, taskhub.Awaits{}, &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "x", Input: large})
		r.removeBlobs(id)
	}},
	{"history-undecodable", true, func(r *rig, id string) {
		f := r.running(id)
		r.history(id, taskhub.RowKey(f.FirstRow+1), map[string]any{"EventType": "Slept"})
	}},
	{"history-execution", true, func(r *rig, id string) {
		f := r.running(id)
		r.history(id, taskhub.RowKey(f.FirstRow+1), map[string]any{"ExecutionId": "other"})
	}},
	{"history-gap", true, func(r *rig, id string) {
		f := r.running(id)
		r.remove(hubName+"History", id, taskhub.RowKey(f.FirstRow+1))
	}},
	{"history-beginning", true, func(r *rig, id string) {
		f := r.running(id)
		r.history(id, taskhub.RowKey(f.FirstRow), map[string]any{"EventType": "OrchestratorCompleted"})
	}},
	{"history-old-rows", false, func(r *rig, id string) {
		f := r.running(id)
		r.history(id, taskhub.RowKey(f.FirstRow-1), map[string]any{"EventType": "OrchestratorStarted", "EventId": -1, "ExecutionId": "e" + id})
	}},
	{"history-stray-rows", false, func(r *rig, id string) {
		f := r.running(id)
		r.history(id, taskhub.RowKey(f.NextRow+5), map[string]any{"EventType": "OrchestratorStarted", "EventId": -1, "ExecutionId": "e" + id})
	}},
	{"purge-cut", false, func(r *rig, id string) {
		r.ended(id, history.Completed)
		r.instances(id, map[string]any{"GoPurging": "x"})
	}},
	{"row-missing", false, func(r *rig, id string) { r.running(id); r.remove(hubName+"Instances", id, "") }},
	{"row-missing", false, func(r *rig, id string) { r.ended(id, history.Completed); r.remove(hubName+"Instances", id, "") }},
	{"history-missing", false, func(r *rig, id string) { r.insert(r.row(id, history.Running)) }},
	{"start-missing", false, func(r *rig, id string) { r.insert(r.row(id, history.Pending)) }},
	{"start-missing", false, func(r *rig, id string) {
		r.ended(id, history.Completed)
		have, err := r.hub.Instance(r.Context(), id)
		r.must(err)
		row := r.row(id, history.Pending)
		row.ExecutionID, row.Origin = "again", "again"
		r.must(r.hub.Replace(r.Context(), row, have.ETag))
	}},
	{"row-execution", false, func(r *rig, id string) {
		r.running(id)
		r.instances(id, map[string]any{"ExecutionId": "other", "GoOrigin": "other"})
	}},
	{"end-not-shown", false, func(r *rig, id string) { r.ended(id, history.Running) }},
	{"row-outcome", false, func(r *rig, id string) { r.ended(id, history.Failed) }},
	{"row-ended", false, func(r *rig, id string) { r.running(id); r.instances(id, map[string]any{"RuntimeStatus": "Completed"}) }},
	{"sentinel-state", false, func(r *rig, id string) {
		r.insert(r.row(id, history.Running))
		r.commit(id, taskhub.Awaits{}, activity)
	}},
	{"sentinel-state", false, func(r *rig, id string) {
		r.ended(id, history.Completed)
		r.history(id, "sentinel", map[string]any{"GoOutcome": ""})
	}},
	{"timer-overdue", false, func(r *rig, id string) {
		r.insert(r.row(id, history.Running))
		at := time.Now().UTC().Add(time.Minute)
		r.commit(id, taskhub.Awaits{Until: at}, &history.Event{Type: history.TimerCreated, ID: 0, FireAt: at})
	}},
	{"activity-lost", false, func(r *rig, id string) {
		r.insert(r.row(id, history.Running))
		r.commit(id, taskhub.Awaits{Work: true}, activity)
	}},
	{"child-missing", false, func(r *rig, id string) {
		r.insert(r.row(id, history.Running))
		r.commit(id, taskhub.Awaits{Work: true}, child("child-of-"+id))
	}},
	{"child-untold", false, func(r *rig, id string) {
		r.insert(r.row(id, history.Running))
		r.commit(id, taskhub.Awaits{Work: true}, child("child-of-"+id))
		parent := &history.Parent{Name: "O", Instance: history.InstanceRef{InstanceID: id, ExecutionID: "e" + id}, TaskID: 0}
		r.insert(r.row("child-of-"+id, history.Completed))
		r.commitChild("child-of-"+id, parent, taskhub.Awaits{}, completed())
	}},
	{"inbox-waits", false, func(r *rig, id string) { r.running(id); r.tell(id, history.Payload(`1`)) }},
	{"inbox-undecodable", false, func(r *rig, id string) {
		r.running(id)
		r.history(id, "ugarbage", map[string]any{"EventType": "EventRaised"})
	}},
	{"inbox-payload-missing", false, func(r *rig, id string) { r.running(id); r.tell(id, large); r.removeBlobs(id) }},
	{"inbox-orphan", false, func(r *rig, id string) { r.tell(id, history.Payload(`1`)) }},
	{"inbox-ended", false, func(r *rig, id string) { r.ended(id, history.Completed); r.tell(id, history.Payload(`1`)) }},
	{"receipts-orphan", false, func(r *rig, id string) {
		r.tell(id, history.Payload(`1`))
		r.must(r.hub.Discard(r.Context(), id, r.told(id)))
	}},
	{"receipts-old", false, func(r *rig, id string) {
		r.running(id)
		r.tell(id, history.Payload(`1`))
		r.must(r.hub.Discard(r.Context(), id, r.told(id)))
		<-time.After(9 * 24 * time.Hour)
	}},
	{"history-unknown-row", true, func(r *rig, id string) { r.running(id); r.history(id, "zzz", nil) }},
	{"message-undecodable", false, func(r *rig, id string) { r.must(r.hub.Put(r.Context(), taskhub.ControlQueue(hubName), "garbage "+id)) }},
	{"message-payload-missing", false, func(r *rig, id string) {
		m := taskhub.Look(id, "x", time.Now().UTC())
		m.Event.Reason = large
		r.send(m)
		r.removeBlobs(id)
	}},
	{"message-orphan", false, func(r *rig, id string) { r.send(taskhub.Look(id, "x", time.Now().UTC())) }},
	{"queue-stray", false, func(r *rig, id string) { r.must(r.hub.Put(r.Context(), "testhub-control-03", "x")) }},
	{"queue-poison", true, func(r *rig, id string) { r.must(r.hub.Put(r.Context(), "testhub-workitems-poison", "x")) }},
	{"part-missing", false, func(r *rig, id string) {
		_, err := r.account.Queues.NewQueueClient(taskhub.WorkItemQueue(hubName)).Delete(r.Context(), nil)
		r.must(err)
	}},
	{"blob-orphan", false, func(r *rig, id string) { r.blob(azure.Folder(id)+"history-x.json.gz", "x") }},
	{"blob-unnamed", false, func(r *rig, id string) { r.running(id); r.blob(azure.Folder(id)+"history-x.json.gz", "x") }},
	{"blob-empty", true, func(r *rig, id string) {
		r.insert(r.row(id, history.Running))
		r.commit(id, taskhub.Awaits{}, &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "x", Input: large})
		for b, err := range r.hub.RawBlobsOf(r.Context(), id) {
			r.must(err)
			r.blob(b.Name, "")
		}
	}},
}
