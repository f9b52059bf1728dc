package entity

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// store commits a draft: one transaction. The row is read before that, unless it is
// known: who writes it later changes what was read.
func (en *Entity) store(ctx context.Context, d *draft) error {
	if en.c.fence.ETag != "" {
		if err := en.learnRow(ctx); err != nil {
			return err
		}
	}
	now := en.Exec.Now()
	execution := en.NewID()
	next := saved{Lock: d.lock, Outbox: d.outbox, Recent: lastOf(slices.Concat(en.c.saved.Recent, d.recent))}
	beside, err := json.Marshal(next)
	if err != nil {
		return err
	}
	visible := history.EntityState{State: d.state}
	if d.lock != nil {
		visible.LockedBy = d.lock.Owner
	}
	c := &taskhub.Commit{
		InstanceID: en.ID, ExecutionID: execution, Fence: en.c.fence, Nonce: en.NewID(), Time: now,
		NewExecution: en.c.fence.ETag != "",
		Events: []*history.Event{{
			Type: history.ExecutionStarted, ID: history.NoID, Timestamp: now, Name: en.ID, Input: visible.Encode(),
			Instance: history.InstanceRef{InstanceID: en.ID, ExecutionID: execution}, Own: history.Own{Options: beside},
		}},
		Answers: d.answers,
	}
	for _, s := range d.done {
		c.Takes = append(c.Takes, taskhub.Take{Key: s.row.Key, Event: -1})
	}
	err = en.Exec.Do(ctx, func(ctx context.Context) error {
		fence, err := en.Store.Commit(ctx, c)
		if err == nil {
			en.c = &committed{fence: fence, state: d.state, decoded: d.decoded, changed: now, saved: next, unsent: true}
			en.row.late = false
		}
		return err
	})
	if err != nil {
		return err
	}
	en.tidy(d.done, now)
	return nil
}

// tidyEvery is how many rows that were taken in one tidying comes to on average.
const tidyEvery = 64

// tidy deletes, off the path, payloads of earlier states and old receipts. What it
// misses the next one finds.
func (en *Entity) tidy(taken []step, now time.Time) {
	id, fence, before := en.ID, en.c.fence, now.Add(-taskhub.ReceiptsTold-24*time.Hour)
	elected := false
	for _, s := range taken {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s.row.Key))
		elected = elected || h.Sum32()%tidyEvery == 0
	}
	if !elected && !fence.Apart {
		return
	}
	en.Exec.Go(func(ctx context.Context) {
		var err error
		if fence.Apart {
			err = en.Store.Sweep(ctx, id, fence)
		}
		if elected && err == nil {
			_, err = en.Store.ForgetReceipts(ctx, id, before)
		}
		if err != nil && ctx.Err() == nil {
			en.Log.Warn("old payloads and receipts of an entity were not deleted", "entity", id, "error", err)
		}
	})
}
