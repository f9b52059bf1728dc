package hubcheck

import (
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// receiptsLast is how long receipts are kept: longer than a teller repeats itself.
const receiptsLast = taskhub.ReceiptsTold + 24*time.Hour

// checkInbox looks at what was told the instance.
func (v *view) checkInbox() {
	waiting := 0
	for _, r := range v.told {
		if v.checkTold(r) {
			waiting++
		}
	}
	old := 0
	for _, r := range v.receipts {
		if v.now.Sub(r.Stored) > receiptsLast {
			old++
		}
	}
	switch {
	case len(v.receipts) > 0 && len(v.rows) == 0 && v.sentinel == nil && len(v.told) == 0 && v.isOld(v.receipts[len(v.receipts)-1]):
		v.add(Finding{Severity: Debris, Kind: "receipts-orphan", Place: "inbox", What: fmt.Sprintf("%d receipts of an instance that is not there", len(v.receipts))}.with(deleteRows{v.receipts}))
	case old > 0:
		v.add(Finding{Severity: Debris, Kind: "receipts-old", Place: "inbox", What: fmt.Sprintf("%d receipts are older than %v", old, receiptsLast)}.with(forget{v.id, v.now.Add(-receiptsLast)}))
	}
	for _, r := range v.strange {
		v.add(Finding{Severity: Note, Kind: "history-unknown-row", Place: "History row " + r.Row, What: "this version knows no such row"})
	}
	if waiting > 0 && v.row != nil && !v.row.Status.Finished() && v.row.Parked == "" && (v.guarded && !v.fence.State.Ended) {
		v.add(Finding{Severity: Waiting, Kind: "inbox-waits", Place: "inbox", What: fmt.Sprintf("%d events or requests wait, and no process looks", waiting)}.with(v.look()))
	}
}

// checkTold looks at a row of the inbox and reports whether it could be taken in.
func (v *view) checkTold(r azure.RawRow) (waits bool) {
	bad := func(kind, what string) {
		if v.isOld(r) {
			rows := []azure.RawRow{r}
			if len(v.rows) == 0 && v.sentinel == nil && !v.isEntity() {
				rows = append(rows, v.receipts...)
			}
			v.add(Finding{Severity: Debris, Kind: kind, Place: "History row " + r.Row, What: what}.with(deleteRows{rows}))
		}
	}
	blobs, err := history.RowBlobs(r.JSON)
	texts := map[string]history.Payload{}
	for column, name := range blobs {
		texts[column], v.named[name] = history.Payload(`""`), true
		if _, there := v.blobs[name]; !there {
			bad("inbox-payload-missing", "its blob "+name+" is gone")
			return false
		}
	}
	row := taskhub.DecodeInboxRow(r.JSON, texts)
	switch {
	case err != nil || row.Err != nil:
		if err == nil {
			err = row.Err
		}
		bad("inbox-undecodable", err.Error())
	case len(v.rows) == 0 && v.sentinel == nil && !v.isEntity():
		bad("inbox-orphan", "it was told an instance that is not there")
	case v.guarded && v.fence.State.Ended && (v.row == nil || v.row.Status.Finished()):
		bad("inbox-ended", "it was told an instance that has ended")
	case row.Telling.Due.After(v.now):
	default:
		return v.isOld(r)
	}
	return false
}
