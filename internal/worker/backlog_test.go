package worker

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// maxWaiting is how many events may wait in these tests.
const maxWaiting = 20

// crowd is an instance "i" whose code waits for "go", and then for noise without end,
// and who raises events for it.
type crowd struct {
	t   *testing.T
	hub hubtest.Hub
	w   *Worker
}

func newCrowd(t *testing.T, open func(testing.TB) hubtest.Hub) *crowd {
	c := &crowd{t: t, hub: open(t)}
	c.restart()
	start(t, c.hub, c.w, "i")
	<-time.After(time.Second)
	return c
}

func (c *crowd) restart() {
	c.w = polling(c.t, c.hub.Process(nil), func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		for _, err := rt.WaitEvent("go").Await(); err == nil; {
			_, err = rt.WaitEvent("noise").Await()
		}
		return nil, nil
	}, func(o *Options) { o.MaxWaiting = maxWaiting })
}

// client is one in the process of the worker, or in another one.
func (c *crowd) client(here bool) *client.Client {
	o := client.Options{Queue: controlQueue, MaxWaiting: maxWaiting, Lease: 30 * time.Second}
	if here {
		o.Local = c.w
	}
	return client.New(c.hub.Process(nil), o)
}

// raise raises so many events, one after the other, and returns how many were taken.
func (c *crowd) raise(from *client.Client, name string, n int) (stored int) {
	c.t.Helper()
	for range n {
		switch err := from.Raise(c.t.Context(), "i", name, history.Payload(`1`)); {
		case err == nil:
			stored++
		case !errors.Is(err, taskhub.ErrBacklog) || !strings.Contains(err.Error(), "maxWaitingEvents"):
			c.t.Fatal(err)
		}
		<-time.After(200 * time.Millisecond)
	}
	return stored
}

func bothHubs(t *testing.T, test func(t *testing.T, open func(testing.TB) hubtest.Hub)) {
	for name, open := range map[string]func(testing.TB) hubtest.Hub{"memory": hubtest.Memory, "strict": hubtest.Strict} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, open) }) })
	}
}

// Events that the code does not wait for are bounded, wherever they are raised; what it
// waits for comes through, and when it has taken some there is room again.
func TestEventsThatAreNotWaitedForAreBounded(t *testing.T) {
	bothHubs(t, func(t *testing.T, open func(testing.TB) hubtest.Hub) {
		c := newCrowd(t, open)
		if n := c.raise(c.client(true), "noise", 3*maxWaiting); n != maxWaiting {
			t.Errorf("%d were stored, want %d", n, maxWaiting)
		}
		if n := c.raise(c.client(false), "Noise", 5); n != 0 {
			t.Errorf("another process stored %d more", n)
		}
		if n := c.raise(c.client(false), "GO", 1); n != 1 {
			t.Error("the event that is waited for was refused")
		}
		<-time.After(time.Minute)
		if n := c.raise(c.client(true), "noise", 3*maxWaiting); n != 3*maxWaiting {
			t.Errorf("%d were taken once the code waits for them", n)
		}
	})
}

// It stays so over the end of the process, and a suspended instance takes none.
func TestTheBoundOfEventsOutlivesTheProcess(t *testing.T) {
	bothHubs(t, func(t *testing.T, open func(testing.TB) hubtest.Hub) {
		c := newCrowd(t, open)
		c.raise(c.client(true), "noise", maxWaiting)
		c.w.Kill()
		<-time.After(time.Minute)
		if n := c.raise(c.client(false), "noise", 3); n != 0 {
			t.Errorf("%d were stored while no process runs", n)
		}
		c.restart()
		here := c.client(true)
		if err := here.Suspend(t.Context(), "i", ""); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		if n := c.raise(here, "go", 3); n != 0 {
			t.Errorf("a suspended instance took %d", n)
		}
		if err := here.Resume(t.Context(), "i", ""); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		if n := c.raise(here, "go", 1); n != 1 {
			t.Error("the event that is waited for was refused")
		}
		<-time.After(time.Minute)
		if n := c.raise(here, "noise", 5); n != 5 {
			t.Errorf("%d were taken once the code waits for them", n)
		}
	})
}

// While no process takes events in, the inbox is bounded.
func TestEventsForAnInstanceThatDoesNotRunAreBounded(t *testing.T) {
	bothHubs(t, func(t *testing.T, open func(testing.TB) hubtest.Hub) {
		c := newCrowd(t, open)
		c.w.Kill()
		if n := c.raise(c.client(false), "noise", 3*maxWaiting); n != maxWaiting {
			t.Errorf("%d were stored, want %d", n, maxWaiting)
		}
		if err := c.client(false).Terminate(t.Context(), "i", "enough", client.TerminateOptions{}); err != nil {
			t.Errorf("it cannot be terminated: %v", err)
		}
		c.restart()
		if row := finished(t, c.hub, "i", time.Minute); row.Status != history.Terminated {
			t.Errorf("%v", row.Status)
		}
	})
}

// Events that orchestrations send are all delivered: their senders are bounded by the
// actions that they may ask for.
func TestEventsOfOrchestrationsAreNotRefused(t *testing.T) {
	const n = 3 * maxWaiting
	bothHubs(t, func(t *testing.T, open func(testing.TB) hubtest.Hub) {
		hub := open(t)
		w := polling(t, hub.Process(nil), func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			if rt.InstanceID() == "sender" {
				for range n {
					_ = rt.SendEvent("i", "noise", history.Payload(`1`))
				}
				_ = rt.SendEvent("i", "go", nil)
				return nil, nil
			}
			if _, err := rt.WaitEvent("go").Await(); err != nil {
				return nil, err
			}
			for range n {
				if _, err := rt.WaitEvent("noise").Await(); err != nil {
					return nil, err
				}
			}
			return nil, nil
		}, func(o *Options) { o.MaxWaiting = maxWaiting })
		start(t, hub, w, "i")
		<-time.After(time.Second)
		start(t, hub, w, "sender")
		for _, id := range []string{"sender", "i"} {
			if row := finished(t, hub, id, time.Minute); row.Status != history.Completed {
				t.Errorf("%s: %v %s", id, row.Status, row.Output)
			}
		}
	})
}
