package azure

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// mark is the part of a blob's name that keeps the blobs of two writers apart,
// and is the same whenever one writer repeats itself.
func mark(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		_, _ = io.WriteString(sum, part)
		_, _ = sum.Write([]byte{0})
	}
	return strings.ToUpper(hex.EncodeToString(sum.Sum(nil)[:4]))
}

// historyBlob names the blob of a column of a history row.
func historyBlob(id, row, kind, column, nonce string) string {
	return folder(id) + "history-" + row + "-" + kind + "-" + mark(nonce, row, column) + "-" + column + ".json.gz"
}

// rowBlob names the blob of a column of the instance's row: as the official
// client does, that is a history row without a key.
func rowBlob(id, column, seed string) string {
	return folder(id) + "history--" + column + "-" + mark(seed, column) + "-" + column + ".json.gz"
}

// messageBlob names the blob of a message's envelope.
func messageBlob(m *taskhub.Message) string {
	return folder(m.Target.InstanceID) + "message-" + strings.ReplaceAll(m.ID, "-", "") + "-" + m.Event.Type.String() + ".json.gz"
}

// fitsRow reports whether a payload may stand in the instance's row. It counts
// bytes: Azurite decodes the body of a request piece by piece, which damages a
// character that is cut in two, so a row's request should come in one piece.
// (Transactions are decoded as a whole.)
func fitsRow(p history.Payload) bool { return len(p) <= history.MaxColumn }

// outsize writes a payload that is too long for a column of the instance's row
// into its blob, and puts the blob's address in its place. seed is the same
// when the write is repeated.
func (h *Hub) outsize(ctx context.Context, id, column, seed string, p *history.Payload) error {
	if fitsRow(*p) {
		return nil
	}
	if seed == "" {
		seed = string(*p)
	}
	name := rowBlob(id, column, seed)
	if _, err := h.writeLarge(ctx, largePayload{name, *p}); err != nil {
		return err
	}
	*p = h.largeURL(name)
	return nil
}

// outsizeRow does so for a whole row and returns the row as it is stored.
func (h *Hub) outsizeRow(ctx context.Context, row *taskhub.Instance) (*taskhub.Instance, error) {
	if fitsRow(row.Input) && fitsRow(row.Output) {
		return row, nil
	}
	stored := *row
	if err := h.outsize(ctx, row.ID, "Input", row.ExecutionID, &stored.Input); err != nil {
		return nil, err
	}
	return &stored, h.outsize(ctx, row.ID, "Output", row.ExecutionID, &stored.Output)
}

// outsizeChange does so for a change.
func (h *Hub) outsizeChange(ctx context.Context, id string, c *taskhub.Change) error {
	for column, value := range map[string]**history.Payload{"Input": &c.Input, "Output": &c.Output} {
		if *value == nil || fitsRow(**value) {
			continue
		}
		stored := **value
		if err := h.outsize(ctx, id, column, "", &stored); err != nil {
			return err
		}
		*value = &stored
	}
	return nil
}

// fetchRow puts payloads in place of their addresses. ErrPayloadGone when one
// is not there; its address stays then.
func (h *Hub) fetchRow(ctx context.Context, row *storedRow) error {
	columns := []*history.Payload{&row.Input, &row.Output}
	return eachLarge(len(columns), func(i int) error {
		name := row.blobs[i]
		if name == "" {
			return nil
		}
		text, err := h.readLarge(ctx, name)
		if err != nil {
			return err
		}
		if !strings.Contains(name, "/message-") {
			*columns[i] = text
			return nil
		}
		// An official client names the blob of the start message.
		m, err := taskhub.DecodeMessage(text)
		if err != nil {
			return fmt.Errorf("blob %s: %w", name, err)
		}
		*columns[i] = m.Event.Input
		return nil
	})
}

// markBlob notes in a column of its own whether a text of the instance's row is
// the address of its payload. Only what looks like one needs it.
func (h *Hub) markBlob(e *entity, id, column string, given, stored history.Payload) {
	if !bytes.HasPrefix(stored, []byte("http")) {
		return
	}
	name := ""
	if !fitsRow(given) {
		name = h.largeName(id, stored)
	}
	e.text("Go"+column+"Blob", name)
}

// startBlob is the blob in which an official client leaves the message of a
// start, whose address it puts into the Input of the row.
var startBlob = regexp.MustCompile(`/message-[0-9a-f]{32}-ExecutionStarted\.json\.gz$`)

// namedBlob is the blob that a text of an instance's row stands for, "" for a
// text that is what it says, such as a reason or a result that somebody has
// given. mark is the column that says so, nil in a row of an official client,
// which has addresses in Input alone.
func (h *Hub) namedBlob(id string, text history.Payload, mark *string, input bool) string {
	name := h.largeName(id, text)
	if name == "" || mark != nil && *mark != name || mark == nil && (!input || !startBlob.MatchString(name)) {
		return ""
	}
	return name
}

// fetchTexts reads the blobs of history rows: for each row, the texts by
// column.
func (h *Hub) fetchTexts(ctx context.Context, rows []map[string]string) ([]map[string]history.Payload, error) {
	type place struct {
		row          int
		column, blob string
	}
	var places []place
	texts := make([]map[string]history.Payload, len(rows))
	for i, blobs := range rows {
		texts[i] = map[string]history.Payload{}
		for column, blob := range blobs {
			places = append(places, place{i, column, blob})
		}
	}
	var mu sync.Mutex // guards texts
	err := eachLarge(len(places), func(i int) error {
		p := places[i]
		text, err := h.readLarge(ctx, p.blob)
		mu.Lock()
		defer mu.Unlock()
		texts[p.row][p.column] = text
		return err
	})
	return texts, err
}

// Open decodes a message's text, which may say where the message is.
func (h *Hub) Open(ctx context.Context, body []byte) (*taskhub.Message, error) {
	m, err := taskhub.DecodeMessage(body)
	var in *taskhub.InBlobError
	if !errors.As(err, &in) {
		return m, err
	}
	raw, err := h.readLarge(ctx, in.Name)
	switch {
	case errors.Is(err, taskhub.ErrPayloadGone), errors.Is(err, taskhub.ErrTooLarge):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", taskhub.ErrUnread, err)
	}
	if m, err = taskhub.DecodeMessage(raw); err != nil {
		return nil, fmt.Errorf("blob %s: %w", in.Name, err)
	}
	return m, nil
}
