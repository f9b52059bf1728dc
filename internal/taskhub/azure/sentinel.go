package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// sentinelRow is the key of the row that guards a history. It sorts after the
// rows of the history, and before the inbox.
const sentinelRow = "sentinel"

// Format is the version of what this module writes beside the official columns. A
// history of a later one is refused ([taskhub.ErrFormat]). It grows when an older
// version of the module would read what is written wrongly; a column that such a
// version may leave out or overlook needs no new one.
const Format = 1

// sentinel is the row that guards a history.
type sentinel struct {
	fence taskhub.Fence
	// nonce is that of the commit that wrote the row, step how many of its
	// events were applied by then.
	nonce  string
	step   int
	format int32
}

// entity writes the row over one that has the old state. Columns that it does
// not write stay as they are.
func (s *sentinel) entity(partition string, now time.Time, complete bool, old taskhub.State) ([]byte, error) {
	e := newEntity(partition, sentinelRow)
	e.text("ExecutionId", s.fence.ExecutionID)
	e.bool("IsCheckpointComplete", complete)
	e.time("CheckpointCompletedTimestamp", now)
	e.int32("GoFormat", Format)
	e.int64("GoCommit", s.fence.Number)
	e.text("GoNonce", s.nonce)
	e.int32("GoStep", int32(s.step))
	e.text("GoNextRow", taskhub.RowKey(s.fence.NextRow))
	e.text("GoFirstRow", taskhub.RowKey(s.fence.FirstRow))
	e.text("GoSpilled", formatRanges(s.fence.Spilled))
	if s.fence.Apart {
		e.bool("GoApart", true)
	}
	if s.fence.Rewinds > 0 {
		e.int32("GoRewinds", s.fence.Rewinds)
	}
	if !s.fence.State.IsZero() || !old.IsZero() {
		e.state(&s.fence.State)
	}
	return e.end()
}

// state writes all columns of the state. Those that say nothing are empty.
func (e *entity) state(s *taskhub.State) {
	outcome, until, parent := "", "", ""
	if s.Ended {
		outcome = s.Outcome.String()
	}
	if !s.Awaits.Until.IsZero() {
		until = string(history.AppendTime(nil, s.Awaits.Until))
	}
	if s.Parent != nil {
		parent = string(history.AppendParent(nil, s.Parent))
	}
	e.text("GoOrigin", s.Origin)
	e.text("GoOutcome", outcome)
	e.bool("GoWork", s.Awaits.Work)
	e.text("GoUntil", until)
	e.text("GoParent", parent)
	e.int32("GoSent", s.Sent)
}

// sentinelState is the state as the service answers it.
type sentinelState struct {
	GoOrigin, GoOutcome, GoUntil, GoParent string
	GoWork                                 bool
	GoSent                                 int32
}

func (w *sentinelState) state() (s taskhub.State, err error) {
	s.Origin, s.Awaits.Work, s.Sent = w.GoOrigin, w.GoWork, w.GoSent
	if w.GoOutcome != "" {
		s.Ended = true
		if s.Outcome, err = history.ParseStatus(w.GoOutcome); err != nil {
			return s, err
		}
	}
	if w.GoUntil != "" {
		if s.Awaits.Until, err = history.ParseTime(w.GoUntil); err != nil {
			return s, err
		}
	}
	s.Parent, err = history.ParseParent([]byte(w.GoParent))
	return s, err
}

// decodeSentinel reads the row. ErrFormat, ErrUnreadable.
func decodeSentinel(raw []byte, etag string) (*sentinel, error) {
	s, err := parseSentinel(raw, etag)
	if err != nil && !errors.Is(err, taskhub.ErrFormat) {
		err = &history.UnreadableError{Row: sentinelRow, Reason: "cannot be decoded", Cause: err}
	}
	return s, err
}

func parseSentinel(raw []byte, etag string) (*sentinel, error) {
	var w struct {
		ExecutionId, GoNonce, GoNextRow, GoFirstRow, GoSpilled string
		GoCommit                                               string
		GoStep, GoFormat, GoRewinds                            int32
		GoApart                                                bool
		sentinelState
		ETag string `json:"odata.etag"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, err
	}
	if etag == "" {
		etag = w.ETag
	}
	s := &sentinel{nonce: w.GoNonce, step: int(w.GoStep), format: w.GoFormat}
	s.fence = taskhub.Fence{ETag: etag, ExecutionID: w.ExecutionId, Apart: w.GoApart, Rewinds: w.GoRewinds}
	if w.GoFormat == 0 {
		return nil, fmt.Errorf("%w: the history was written by another engine", taskhub.ErrFormat)
	}
	if w.GoFormat > Format {
		return nil, fmt.Errorf("%w: format %d", taskhub.ErrFormat, w.GoFormat)
	}
	var err error
	for _, number := range []struct {
		text string
		base int
		to   *uint64
	}{{w.GoNextRow, 16, &s.fence.NextRow}, {w.GoFirstRow, 16, &s.fence.FirstRow}} {
		if *number.to, err = strconv.ParseUint(number.text, number.base, 64); err != nil {
			return nil, err
		}
	}
	if s.fence.Number, err = strconv.ParseInt(w.GoCommit, 10, 64); err != nil {
		return nil, err
	}
	if s.fence.State, err = w.state(); err != nil {
		return nil, err
	}
	s.fence.Spilled, err = parseRanges(w.GoSpilled)
	return s, err
}

// readSentinel returns nil when there is none.
func (h *Hub) readSentinel(ctx context.Context, id string) (*sentinel, error) {
	resp, err := h.history.GetEntity(ctx, taskhub.EscapeKey(id), sentinelRow, &aztables.GetEntityOptions{Format: to.Ptr(aztables.MetadataFormatNone)})
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, failed(err, "reading the sentinel of instance %q", id)
	}
	return decodeSentinel(resp.Value, string(resp.ETag))
}

// formatRanges writes "0-4,7-7".
func formatRanges(ranges []taskhub.Range) string {
	var b strings.Builder
	for i, r := range ranges {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d-%d", r.First, r.Last)
	}
	return b.String()
}

func parseRanges(text string) ([]taskhub.Range, error) {
	if text == "" {
		return nil, nil
	}
	var out []taskhub.Range
	for part := range strings.SplitSeq(text, ",") {
		var r taskhub.Range
		if _, err := fmt.Sscanf(part, "%d-%d", &r.First, &r.Last); err != nil {
			return nil, fmt.Errorf("decoding ranges %q: %w", text, err)
		}
		out = append(out, r)
	}
	return out, nil
}
