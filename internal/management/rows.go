package management

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/durable-go/functions/internal/history"
)

// rowPage is a part of a history as rows of the History table, with whole payloads.
type rowPage struct {
	// Execution, Next and Stored are those of an eventPage.
	Execution string            `json:"execution"`
	Rows      []json.RawMessage `json:"rows"`
	Next      uint64            `json:"next"`
	Stored    uint64            `json:"stored"`
}

// rows answers GET instances/{id}/rows: the history with all that a replay needs, from
// a row on.
func (c *call) rows(w http.ResponseWriter, r *http.Request) {
	from, err := c.row("from")
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	h, from, err := c.currentFrom(r.Context(), from, defaultEvents)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	page := rowPage{Execution: executionOf(h), Rows: []json.RawMessage{}, Next: from, Stored: h.Fence.NextRow - h.Fence.FirstRow}
	size := 0
	for _, e := range h.Events {
		if size > eventsBytes {
			break
		}
		row := history.AppendRow(nil, c.id, fmt.Sprintf("%016X", page.Next), h.Fence.ExecutionID, e, true)
		page.Rows = append(page.Rows, row)
		page.Next++
		size += len(row)
	}
	c.writeView(w, r, page)
}
