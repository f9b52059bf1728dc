// Package memory keeps a task hub in the process: for tests, and for apps whose
// AzureWebJobsStorage is "memory". Rows and messages go through the codecs of
// the real storage, so that what does not survive there does not survive here.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Options change how a hub behaves.
type Options struct {
	// Now is the time by which messages are visible. Default time.Now.
	Now func() time.Time
	// StoreInputs keeps the inputs of activities and children in the history.
	StoreInputs bool
	// Cut is asked before each transaction of a commit, with its place in the
	// commit; an error ends the commit there. Tests cut commits with it.
	Cut func(transaction int) error
}

// Hub is a task hub. It may be used concurrently.
type Hub struct {
	options Options

	mu        sync.Mutex // guards the rest
	serial    int
	queues    map[string]*queue
	instances map[string]*taskhub.Instance
	histories map[string]*log
	inboxes   map[string]*inbox
	// stamped is the time of the last telling.
	stamped  time.Time
	secrets  map[string][]byte
	progress map[progressKey]history.Payload
	// changed is closed when a queue changes; nil when nobody waits.
	changed chan struct{}
	site    string
}

var _ taskhub.Store = (*Hub)(nil)

// New makes an empty hub.
func New(o Options) *Hub {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Hub{
		options: o, queues: map[string]*queue{}, instances: map[string]*taskhub.Instance{},
		histories: map[string]*log{}, inboxes: map[string]*inbox{}, secrets: map[string][]byte{}, progress: map[progressKey]history.Payload{},
	}
}

// Create records the owner. Queues and tables need no making.
func (h *Hub) Create(_ context.Context, owner taskhub.Owner) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case owner.Site == "" || owner.Shared:
	case h.site == "":
		h.site = owner.Site
	case h.site != owner.Site:
		return fmt.Errorf("%w: it was made by %q and this is %q", taskhub.ErrForeignHub, h.site, owner.Site)
	}
	return nil
}

// Secrets returns the secret, which is initial the first time.
func (h *Hub) Secrets(_ context.Context, name string, initial []byte) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.secrets[name]; !ok {
		h.secrets[name] = append([]byte(nil), initial...)
	}
	return append([]byte(nil), h.secrets[name]...), nil
}

// ReplaceSecret replaces the secret if it is the old one.
func (h *Hub) ReplaceSecret(_ context.Context, name string, old, new []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	stored, ok := h.secrets[name]
	switch {
	case ok && bytes.Equal(stored, new):
	case !ok || !bytes.Equal(stored, old):
		return fmt.Errorf("secret %q: %w", name, taskhub.ErrChanged)
	default:
		h.secrets[name] = bytes.Clone(new)
	}
	return nil
}

// tag makes a version of a row, or an id of a message. The caller holds the
// lock.
func (h *Hub) tag() string {
	h.serial++
	return strconv.Itoa(h.serial)
}
