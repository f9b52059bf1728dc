// Package hubtest makes the task hubs that tests run on: in memory, on a storage
// account that answers as the real service does, or on the emulator. A test says
// which:
//
//	for name, open := range map[string]hubtest.Kind{"memory": hubtest.Memory, "strict": hubtest.Strict} {
//		t.Run(name, func(t *testing.T) { work(t, open(t)) })
//	}
package hubtest

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// Hub is a task hub of a test, as an observer sees it whose own requests never
// fail.
type Hub interface {
	taskhub.Store
	// Pending counts the messages of a queue, hidden ones included; -1 where the
	// hub cannot tell.
	Pending(queue string) int
	// Process is the hub as another process sees it, whose requests meet the
	// faults where the hub can have faults; nil: none.
	Process(fake.Faults) taskhub.Store
}

// Kind makes an empty hub that exists.
type Kind func(testing.TB) Hub

// Name is the hub's name, where it is not that of [Azurite].
const Name = "TestHub"

// Memory is a hub of package memory. It works in a synctest bubble.
func Memory(testing.TB) Hub { return memoryHub{memory.New(memory.Options{})} }

type memoryHub struct{ *memory.Hub }

func (m memoryHub) Process(fake.Faults) taskhub.Store { return m.Hub }

// Strict is a hub of package azure on an account of [fake.NewStrict]. It works in a
// synctest bubble. Its processes try no request again by themselves.
func Strict(t testing.TB) Hub {
	account := fake.NewStrict(0)
	h := &strictHub{account: account, t: t}
	h.Hub = open(t, account.ConnectionString(), Name, account, 0)
	return created(t, h)
}

type strictHub struct {
	*azure.Hub
	account *fake.Account
	t       testing.TB
}

func (h *strictHub) Pending(queue string) int { return len(h.account.Messages(queue)) }

func (h *strictHub) Process(faults fake.Faults) taskhub.Store {
	// The pipeline of the SDK would hide most faults.
	return open(h.t, h.account.ConnectionString(), Name, h.account.Client(faults), -1)
}

// Azurite is a hub of package azure on the emulator of the test binary, with a
// name of its own ([azuritetest.HubName]); see [azuritetest.Server] for what a
// package needs. Time is real.
func Azurite(t testing.TB) Hub {
	h := &emulatorHub{connection: azuritetest.Server(t).ConnectionString(), name: azuritetest.HubName(), t: t}
	h.Hub = open(t, h.connection, h.name, http.DefaultClient, 0)
	return created(t, h)
}

type emulatorHub struct {
	*azure.Hub
	connection, name string
	t                testing.TB
}

func (h *emulatorHub) Pending(string) int { return -1 }

func (h *emulatorHub) Process(fake.Faults) taskhub.Store {
	return open(h.t, h.connection, h.name, http.DefaultClient, 0)
}

// Open opens a hub of package azure, which need not exist, by a connection string. A nil
// transport is that of an app.
func Open(t testing.TB, text, name string, transport policy.Transporter) *azure.Hub {
	t.Helper()
	return open(t, text, name, transport, 0)
}

func open(t testing.TB, text, name string, transport policy.Transporter, retries int32) *azure.Hub {
	t.Helper()
	connection, err := storage.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	account, err := storage.Open(connection, storage.Options{Transport: transport, MaxRetries: retries})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := azure.Open(account, name, azure.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return hub
}

func created[H Hub](t testing.TB, h H) H {
	t.Helper()
	if err := h.Create(t.Context(), taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	return h
}
