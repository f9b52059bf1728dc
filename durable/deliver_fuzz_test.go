package durable

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
)

// delivered hands a message to the worker of an app, as the host does, with an
// instance that waits, and shows that the app still works afterwards.
func delivered(t *testing.T, body []byte) {
	synctest.Test(t, func(t *testing.T) {
		waits := NewOrchestrator("Waits", func(ctx *Context, _ None) (string, error) {
			if _, err := testHello.Call(ctx, "you").Await(); err != nil {
				return "", err
			}
			return WaitForEvent[string](ctx, "Go").Await()
		})
		h := &hub{t: t, memory: memory.New(memory.Options{}), registry: newRegistry(), dispatch: worker.Local}
		h.store = h.memory
		for _, f := range []Registration{waits, testHello} {
			if err := f.register(h.registry); err != nil {
				t.Fatal(err)
			}
		}
		h.open()
		defer func() {
			h.stop()
			h.worker.Kill()
		}()
		if _, err := waits.Start(t.Context(), h.client(), None{}, WithInstanceID("it")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		d := taskhub.Delivery{
			Lease:    &taskhub.Lease{Queue: taskhub.ControlQueue(hubName), MessageID: "m", PopReceipt: "p", Body: string(body), Until: time.Now().Add(time.Minute)},
			Dequeued: 1, Inserted: time.Now(),
		}
		if d.Message, d.Err = taskhub.DecodeMessage(body); d.Message != nil && d.Message.ID == "" {
			d.Message.ID = "m"
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_ = h.worker.Deliver(ctx, d, true)
		_ = h.worker.Deliver(ctx, d, false)
		synctest.Wait()
		run, err := waits.Start(ctx, h.client(), None{}, WithInstanceID("other"))
		if err != nil {
			t.Fatalf("after the message: %v", err)
		}
		h.raise(run.ID, "Go", `"on"`)
		if out, err := run.Result(ctx); err != nil || out != "on" {
			t.Fatalf("after the message: %q, %v", out, err)
		}
	})
}

// No message in a queue harms the worker that gets it.
func FuzzDeliver(f *testing.F) {
	f.Add([]byte(`{"TaskMessage":{"Event":{"$type":"x.TaskCompletedEvent"},"OrchestrationInstance":{"InstanceId":"it"}}}`))
	f.Add([]byte(`{"CompressedBlobName":"x"}`))
	f.Add([]byte(`nothing`))
	f.Fuzz(func(t *testing.T, body []byte) { delivered(t, body) })
}

// No event does, whatever its members are.
func FuzzDeliverEvent(f *testing.F) {
	for kind := range int8(history.ExecutionRewound) + 1 {
		f.Add(kind, int32(0), int32(0), "Go", `"x"`, "it", "")
		f.Add(kind, int32(-1), int32(99), "Hello", "no JSON", "it", "other execution")
		f.Add(kind, int32(1), int32(1), "Waits", "", "nobody", "")
	}
	f.Fuzz(func(t *testing.T, kind int8, id, task int32, name, text, instance, execution string) {
		if instance == "other" || instance == "" || kind < 0 || history.Type(kind) > history.ExecutionRewound {
			return
		}
		ref := history.InstanceRef{InstanceID: instance, ExecutionID: execution}
		payload := history.Payload(text)
		delivered(t, taskhub.EncodeMessage(&taskhub.Message{ID: taskhub.NewGUID(), Target: ref, Sender: ref, Event: &history.Event{
			Type: history.Type(kind), ID: id, TaskID: task, Name: name, Input: payload, Result: payload, Reason: payload, Details: payload,
			Instance: ref, InstanceID: instance, Parent: &history.Parent{Name: name, Instance: ref, TaskID: task},
			Timestamp: time.Now(), FireAt: time.Now(), Status: history.Completed,
		}}))
	})
}
