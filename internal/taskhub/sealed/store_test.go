package sealed_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/taskhub/sealed"
	"github.com/durable-go/functions/internal/taskhub/taskhubtest"
)

// mirror is a codec that turns payloads round: the last byte tells the key.
type mirror struct{ key byte }

func (m mirror) Encode(_ context.Context, plain []byte) ([]byte, error) {
	out := slices.Clone(plain)
	slices.Reverse(out)
	return append(out, m.key), nil
}

func (m mirror) Decode(_ context.Context, stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[len(stored)-1] != m.key {
		return nil, errors.New("another key")
	}
	out := slices.Clone(stored[:len(stored)-1])
	slices.Reverse(out)
	return out, nil
}

func wait(d time.Duration) { <-time.After(d) }

func TestConformanceInMemory(t *testing.T) {
	taskhubtest.Run(t, func(*testing.T) taskhubtest.Harness {
		return taskhubtest.Harness{Store: sealed.New(memory.New(memory.Options{}), mirror{1}), Wait: wait, Encodes: true}
	})
}

func TestConformanceOfAzure(t *testing.T) {
	taskhubtest.Run(t, func(t *testing.T) taskhubtest.Harness {
		return taskhubtest.Harness{Store: sealed.New(openFake(t), mirror{1}), Wait: wait, Encodes: true}
	})
}

func openFake(t *testing.T) *azure.Hub {
	account := fake.New(0)
	connection, err := storage.Parse(account.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := storage.Open(connection, storage.Options{Transport: account})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := azure.Open(opened, "Fake", azure.Options{Queues: []string{taskhubtest.ControlQueue}})
	if err != nil {
		t.Fatal(err)
	}
	return hub
}

// TestOldRowsStayReadable: what was written without a codec is read with one,
// and the other way round it is a JSON string.
func TestOldRowsStayReadable(t *testing.T) {
	plain := memory.New(memory.Options{})
	coded := sealed.New(plain, mirror{1})
	for id, store := range map[string]taskhub.Store{"old": plain, "new": coded} {
		r := &taskhub.Instance{ID: id, ExecutionID: "x", Input: history.Payload(`{"a":1}`)}
		if err := store.Insert(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		got, err := coded.Instance(t.Context(), id)
		if err != nil || string(got.Input) != `{"a":1}` || got.Output != nil || got.ETag != r.ETag {
			t.Errorf("%s: %+v %v", id, got, err)
		}
	}
	got, err := plain.Instance(t.Context(), "new")
	if err != nil || string(got.Input) != `"durable-sealed:fTE6ImEiewE="` {
		t.Errorf("stored as %s, %v", got.Input, err)
	}
}

// TestAnotherKey: what cannot be decoded is an error that says so, and no
// payload.
func TestAnotherKey(t *testing.T) {
	inner := memory.New(memory.Options{})
	writes, reads := sealed.New(inner, mirror{1}), sealed.New(inner, mirror{2})
	e := &history.Event{Type: history.EventRaised, ID: history.NoID, Timestamp: time.Now(), Name: "e", Input: history.Payload("1")}
	if err := writes.Insert(t.Context(), &taskhub.Instance{ID: "a", Input: history.Payload("1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := writes.Commit(t.Context(), &taskhub.Commit{InstanceID: "a", ExecutionID: "x", Nonce: "n", Events: []*history.Event{e}}); err != nil {
		t.Fatal(err)
	}
	m := &taskhub.Message{ID: taskhub.NewGUID(), Target: history.InstanceRef{InstanceID: "a"}, Event: e}
	if _, err := writes.Send(t.Context(), "q", m, 0); err != nil {
		t.Fatal(err)
	}
	if row, err := reads.Instance(t.Context(), "a"); !errors.Is(err, taskhub.ErrSealed) {
		t.Errorf("row: %+v %v", row, err)
	}
	if h, err := reads.Load(t.Context(), "a", 0); !errors.Is(err, taskhub.ErrSealed) {
		t.Errorf("history: %+v %v", h, err)
	}
	got, err := reads.Receive(t.Context(), "q", 1, time.Minute)
	if err != nil || len(got) != 1 || got[0].Message != nil || !errors.Is(got[0].Err, taskhub.ErrUnread) {
		t.Errorf("message: %+v %v", got, err)
	}
	if string(m.Event.Input) != "1" {
		t.Error("sending changed the caller's event")
	}
}

// broken is a codec that panics.
type broken struct{ mirror }

func (broken) Encode(context.Context, []byte) ([]byte, error) { panic("oh") }

func TestPanicOfACodec(t *testing.T) {
	store := sealed.New(memory.New(memory.Options{}), broken{})
	err := store.Insert(t.Context(), &taskhub.Instance{ID: "a", Input: history.Payload("1")})
	if !errors.Is(err, taskhub.ErrSealed) {
		t.Errorf("got %v", err)
	}
	if _, err := store.Instance(t.Context(), "a"); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("something was stored: %v", err)
	}
}
