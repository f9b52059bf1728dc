package management

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// importBytes is how large a history may be that is imported: as large as the body of
// a request may be in the Functions host.
const importBytes = 100 << 20

// importOne answers POST instances/{id}/import?replace=true, whose body are all rows of
// the history of a finished instance as GET instances/{id}/rows gives them: 201, or 200
// where the same execution is there.
func (c *call) importOne(w http.ResponseWriter, r *http.Request) {
	raw, err := readBody(w, r, importBytes)
	if errors.Is(err, taskhub.ErrTooLarge) {
		WriteError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the history is larger than %d MiB", importBytes>>20))
		return
	}
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	i, err := importOf(c.id, raw)
	if err != nil {
		WriteError(w, http.StatusBadRequest, err.Error())
		return
	}
	i.Replace = c.query.boolean("replace", false)
	imported, err := c.Client.Import(r.Context(), i)
	switch {
	case err == nil && imported:
		w.WriteHeader(http.StatusCreated)
	case err == nil:
		w.WriteHeader(http.StatusOK)
	case errors.Is(err, client.ErrExists):
		WriteError(w, http.StatusConflict, err.Error())
	case errors.Is(err, client.ErrNotWhole), errors.Is(err, taskhub.ErrRefused):
		WriteError(w, http.StatusBadRequest, err.Error())
	default:
		c.writeFailure(w, r, err)
	}
}

// importOf reads the rows of one execution of an instance.
func importOf(id string, raw []byte) (client.Import, error) {
	i := client.Import{InstanceID: id}
	var rows []json.RawMessage
	if err := json.Unmarshal(raw, &rows); err != nil {
		return i, fmt.Errorf("%w: %w", errInvalidJSON, err)
	}
	next := uint64(0)
	for n, row := range rows {
		var key struct{ PartitionKey string }
		if err := json.Unmarshal(row, &key); err != nil || key.PartitionKey != id {
			return i, fmt.Errorf("row %d is of the instance %q: %w", n, key.PartitionKey, client.ErrNotWhole)
		}
		e, at, err := history.DecodeRow(row)
		if err != nil {
			return i, fmt.Errorf("row %d: %w", n, err)
		}
		number, err := strconv.ParseUint(at.RowKey, 16, 64)
		if err != nil || n > 0 && (number != next || at.ExecutionID != i.ExecutionID) {
			return i, fmt.Errorf("row %d has the key %q of execution %q: %w", n, at.RowKey, at.ExecutionID, client.ErrNotWhole)
		}
		i.ExecutionID, next = at.ExecutionID, number+1
		i.Events = append(i.Events, e)
	}
	return i, nil
}
