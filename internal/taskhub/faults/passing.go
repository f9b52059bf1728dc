package faults

import (
	"context"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Call names one call of a store: what it does, and to which instance, queue or
// secret. ID is that of the message, where it is about one.
type Call struct{ Op, Subject, ID string }

// Around makes the calls of a store, or not: it gets each with its context and the
// function that makes it, and its error is the caller's.
type Around func(ctx context.Context, c Call, do func() error) error

// Passing passes the calls of a process on to another store, each through a function.
type Passing struct {
	taskhub.Store
	around Around
}

// Through makes a store whose calls go through the function.
func Through(store taskhub.Store, around Around) *Passing {
	return &Passing{Store: store, around: around}
}

// Send puts a message.
func (p *Passing) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (lease *taskhub.Lease, err error) {
	err = p.around(ctx, Call{Op: "send", Subject: m.Event.Type.String(), ID: m.ID}, func() (err error) {
		lease, err = p.Store.Send(ctx, queue, m, delay)
		return err
	})
	return lease, err
}

// Renew renews a lease.
func (p *Passing) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	return p.around(ctx, Call{Op: "renew", Subject: l.Queue, ID: l.MessageID}, func() error { return p.Store.Renew(ctx, l, hide) })
}

// Remove deletes a message.
func (p *Passing) Remove(ctx context.Context, l *taskhub.Lease) error {
	return p.around(ctx, Call{Op: "remove", Subject: l.Queue, ID: l.MessageID}, func() error { return p.Store.Remove(ctx, l) })
}

// Insert writes a first row.
func (p *Passing) Insert(ctx context.Context, row *taskhub.Instance) error {
	return p.around(ctx, Call{Op: "insert", Subject: row.ID}, func() error { return p.Store.Insert(ctx, row) })
}

// Replace writes a whole row.
func (p *Passing) Replace(ctx context.Context, row *taskhub.Instance, etag string) error {
	return p.around(ctx, Call{Op: "replace", Subject: row.ID}, func() error { return p.Store.Replace(ctx, row, etag) })
}

// Merge changes a row.
func (p *Passing) Merge(ctx context.Context, id string, c taskhub.Change) (etag string, err error) {
	err = p.around(ctx, Call{Op: "merge", Subject: id}, func() (err error) {
		etag, err = p.Store.Merge(ctx, id, c)
		return err
	})
	return etag, err
}

// Instance reads a row.
func (p *Passing) Instance(ctx context.Context, id string) (row *taskhub.Instance, err error) {
	err = p.around(ctx, Call{Op: "read", Subject: id}, func() (err error) {
		row, err = p.Store.Instance(ctx, id)
		return err
	})
	return row, err
}

// Commit appends to a history.
func (p *Passing) Commit(ctx context.Context, c *taskhub.Commit) (fence taskhub.Fence, err error) {
	err = p.around(ctx, Call{Op: "commit", Subject: c.InstanceID}, func() (err error) {
		fence, err = p.Store.Commit(ctx, c)
		return err
	})
	return fence, err
}

// Load reads a history.
func (p *Passing) Load(ctx context.Context, id string, from uint64) (h *taskhub.History, err error) {
	err = p.around(ctx, Call{Op: "load", Subject: id}, func() (err error) {
		h, err = p.Store.Load(ctx, id, from)
		return err
	})
	return h, err
}

// LoadPart reads a part of a history.
func (p *Passing) LoadPart(ctx context.Context, id string, from uint64, most int) (h *taskhub.History, err error) {
	err = p.around(ctx, Call{Op: "load", Subject: id}, func() (err error) {
		h, err = p.Store.LoadPart(ctx, id, from, most)
		return err
	})
	return h, err
}

// Tell stores tellings.
func (p *Passing) Tell(ctx context.Context, id string, tellings ...*taskhub.Telling) error {
	return p.around(ctx, Call{Op: "tell", Subject: id}, func() error { return p.Store.Tell(ctx, id, tellings...) })
}

// Look reads an inbox.
func (p *Passing) Look(ctx context.Context, id string, o taskhub.LookOptions) (in *taskhub.Inbox, err error) {
	err = p.around(ctx, Call{Op: "look", Subject: id}, func() (err error) {
		in, err = p.Store.Look(ctx, id, o)
		return err
	})
	return in, err
}

// Discard deletes inbox rows.
func (p *Passing) Discard(ctx context.Context, id string, keys ...string) error {
	return p.around(ctx, Call{Op: "discard", Subject: id}, func() error { return p.Store.Discard(ctx, id, keys...) })
}

// ForgetReceipts deletes old receipts.
func (p *Passing) ForgetReceipts(ctx context.Context, id string, before time.Time) (n int, err error) {
	err = p.around(ctx, Call{Op: "forget", Subject: id}, func() (err error) {
		n, err = p.Store.ForgetReceipts(ctx, id, before)
		return err
	})
	return n, err
}

// Head reads a fence.
func (p *Passing) Head(ctx context.Context, id string) (fence taskhub.Fence, err error) {
	err = p.around(ctx, Call{Op: "head", Subject: id}, func() (err error) {
		fence, err = p.Store.Head(ctx, id)
		return err
	})
	return fence, err
}

// Answered looks for a result.
func (p *Passing) Answered(ctx context.Context, id string, task int32) (answered bool, err error) {
	err = p.around(ctx, Call{Op: "answered", Subject: id}, func() (err error) {
		answered, err = p.Store.Answered(ctx, id, task)
		return err
	})
	return answered, err
}

// Wake says when a message comes, if the store knows.
func (p *Passing) Wake(queue string) (wake <-chan struct{}, due time.Time) {
	if waker, ok := p.Store.(interface {
		Wake(string) (<-chan struct{}, time.Time)
	}); ok {
		return waker.Wake(queue)
	}
	return nil, time.Now().Add(time.Second)
}

// Receive takes messages.
func (p *Passing) Receive(ctx context.Context, queue string, most int, hide time.Duration) (batch []taskhub.Delivery, err error) {
	err = p.around(ctx, Call{Op: "receive", Subject: queue}, func() (err error) {
		batch, err = p.Store.Receive(ctx, queue, most, hide)
		return err
	})
	return batch, err
}

// List reads a page of rows.
func (p *Passing) List(ctx context.Context, q taskhub.Query) (page *taskhub.Page, err error) {
	err = p.around(ctx, Call{Op: "list", Subject: q.Prefix}, func() (err error) {
		page, err = p.Store.List(ctx, q)
		return err
	})
	return page, err
}

// Purge removes an instance.
func (p *Passing) Purge(ctx context.Context, id, etag string) (rows int, err error) {
	err = p.around(ctx, Call{Op: "purge", Subject: id}, func() (err error) {
		rows, err = p.Store.Purge(ctx, id, etag)
		return err
	})
	return rows, err
}

// Clear removes an entity.
func (p *Passing) Clear(ctx context.Context, id string, fence taskhub.Fence, etag string) error {
	return p.around(ctx, Call{Op: "clear", Subject: id}, func() error { return p.Store.Clear(ctx, id, fence, etag) })
}

// Rewind changes a history.
func (p *Passing) Rewind(ctx context.Context, r *taskhub.Rewind) (fence taskhub.Fence, err error) {
	err = p.around(ctx, Call{Op: "rewind", Subject: r.InstanceID}, func() (err error) {
		fence, err = p.Store.Rewind(ctx, r)
		return err
	})
	return fence, err
}

// ReplaceSecret replaces a secret.
func (p *Passing) ReplaceSecret(ctx context.Context, name string, old, new []byte) error {
	return p.around(ctx, Call{Op: "replace secret", Subject: name}, func() error { return p.Store.ReplaceSecret(ctx, name, old, new) })
}

// SaveProgress keeps the progress of a call.
func (p *Passing) SaveProgress(ctx context.Context, id, key string, progress history.Payload) error {
	return p.around(ctx, Call{Op: "progress", Subject: id}, func() error { return p.Store.SaveProgress(ctx, id, key, progress) })
}
