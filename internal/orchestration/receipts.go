package orchestration

import (
	"context"
	"hash/fnv"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// keepReceipts is how long the receipts of tellings stay: longer than a teller may
// repeat its telling.
const keepReceipts = taskhub.ReceiptsTold + 24*time.Hour

// receiptsEvery is how many tellings one deletion of old receipts comes to on average.
// It deletes many more at a time, so receipts do not pile up.
const receiptsEvery = 64

// forgetReceipts deletes old receipts in passing, after a commit that took in what was
// told: an instance that is told things for years keeps those of some days. The id of a
// telling decides whether it is time, so no process has to remember when the last
// deletion was. It runs off the path; what it misses the next one finds.
func (in *Instance) forgetReceipts(taken []take) {
	before := in.Exec.Now().Add(-keepReceipts)
	if !anyElected(taken) || in.x.youngerThan(before) {
		return
	}
	id := in.ID
	in.Exec.Go(func(ctx context.Context) {
		if _, err := in.Store.ForgetReceipts(ctx, id, before); err != nil && ctx.Err() == nil {
			in.Log.Warn("old receipts of what the instance was told were not deleted", "instance", id, "error", err)
		}
	})
}

// youngerThan reports whether the instance is known to have been started after the time.
// Continue-as-new makes the row show a later start.
func (x *execution) youngerThan(at time.Time) bool {
	return x.origin == x.id && x.row.created.After(at)
}

// anyElected reports whether one of the tellings is among those, one in
// [receiptsEvery], that bring a deletion of old receipts.
func anyElected(taken []take) bool {
	for _, t := range taken {
		h := fnv.New32a()
		_, _ = h.Write([]byte(t.key))
		if h.Sum32()%receiptsEvery == 0 {
			return true
		}
	}
	return false
}
