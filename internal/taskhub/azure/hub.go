// Package azure keeps a task hub in an Azure Storage account, in the tables,
// queues and containers of the official engine
// (DurableTask.AzureStorage), so that its tools read it.
package azure

import (
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// Options change what the hub keeps.
type Options struct {
	// Queues are further queues that Create makes, beside the hub's own.
	Queues []string
	// StoreInputs keeps the inputs of activities and children in the history.
	StoreInputs bool
	// MaxLarge is the longest text that is kept apart from rows and messages,
	// in bytes. A larger one is not written, and not read either: a small blob
	// may unpack to very much. Default 128 MiB.
	MaxLarge int
	// Spilled is told of the length of each text that was written apart. nil: nothing is.
	Spilled func(bytes int)
	// Now is the time by which leases are measured. Default time.Now.
	Now func() time.Time
}

// Hub is a task hub. It may be used concurrently.
type Hub struct {
	name      string
	options   Options
	account   *storage.Account
	history   *aztables.Client
	instances *aztables.Client
	queues    sync.Map // queue name to *azqueue.QueueClient
	crowds    crowds
}

var _ taskhub.Store = (*Hub)(nil)

// Open returns the hub of the given name. It sends no request; see Create.
func Open(account *storage.Account, name string, o Options) (*Hub, error) {
	if err := taskhub.ValidHub(name); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxLarge == 0 {
		o.MaxLarge = 128 << 20
	}
	return &Hub{
		name: name, options: o, account: account,
		history:   account.Tables.NewClient(taskhub.HistoryTable(name)),
		instances: account.Tables.NewClient(taskhub.InstancesTable(name)),
	}, nil
}

func (h *Hub) queue(name string) *azqueue.QueueClient {
	if c, ok := h.queues.Load(name); ok {
		return c.(*azqueue.QueueClient)
	}
	c, _ := h.queues.LoadOrStore(name, h.account.Queues.NewQueueClient(name))
	return c.(*azqueue.QueueClient)
}

// secretContainer is apart from the tables: who may read those cannot sign
// management links.
func (h *Hub) secretContainer() string { return strings.ToLower(h.name) + "-keys" }
