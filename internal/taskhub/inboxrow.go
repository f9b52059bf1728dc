package taskhub

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// AppendInboxRow appends the entity of an inbox row. apart decides about texts
// as for [history.AppendRowApart].
func AppendInboxRow(dst []byte, partition, key string, t *Telling, apart history.Apart) []byte {
	dst = history.AppendInboxRow(dst, partition, key, t.stored(), apart)
	dst = history.AppendString(append(dst[:len(dst)-1], `,"GoTelling":`...), t.ID)
	if t.Origin != "" {
		dst = history.AppendString(append(dst, `,"GoOrigin":`...), t.Origin)
	}
	return append(dst, '}')
}

// AppendReceipt appends the entity of a receipt. batch is a mark of the
// transaction that stores it.
func AppendReceipt(dst []byte, partition, id, batch string) []byte {
	dst = history.AppendString(append(dst, `{"PartitionKey":`...), partition)
	dst = history.AppendString(append(dst, `,"RowKey":`...), ReceiptKey(id))
	dst = append(dst, `,"EventType":"GenericEvent","EventId":-1,"IsPlayed":false,"ExecutionId":"`+history.InboxExecution+`","GoBatch":`...)
	return append(history.AppendString(dst, batch), '}')
}

// DecodeInboxRow reads an inbox row. texts are the payloads that were kept
// apart, by column; nil when none were. A row that does not decode has Err.
func DecodeInboxRow(raw []byte, texts map[string]history.Payload) *InboxRow {
	var w struct {
		RowKey, GoTelling, GoOrigin string
		Timestamp                   time.Time
	}
	row := &InboxRow{}
	err := json.Unmarshal(raw, &w)
	row.Key, row.Stored = w.RowKey, w.Timestamp.UTC()
	if err != nil {
		row.Err = fmt.Errorf("decoding inbox row %s: %w", row.Key, err)
		return row
	}
	at, err := parseKey(w.RowKey)
	if err != nil {
		row.Err = err
		return row
	}
	row.Telling = Telling{ID: w.GoTelling, Origin: w.GoOrigin, Due: at.due, Sent: at.sent, Sequence: at.sequence}
	row.Telling.Event, _, row.Err = history.DecodeRowApart(raw, texts)
	row.Telling.Ahead = row.Err == nil && at.kind == keyControl && row.Telling.Event.Type == history.EventRaised
	switch {
	case row.Err != nil:
	case row.Telling.ID == "":
		row.Err = fmt.Errorf("inbox row %s has no GoTelling", row.Key)
	default:
		// What no teller could have stored must not get into a history either.
		if err := row.Telling.Check(); err != nil {
			row.Err = fmt.Errorf("inbox row %s: %s", row.Key, err.Error())
		}
	}
	return row
}

// AppendAnswered appends the entity of a receipt that has the answer to its telling.
// apart decides about the text as for [history.AppendRowApart].
func AppendAnswered(dst []byte, partition string, a Answer, apart history.Apart) []byte {
	dst = AppendReceipt(dst, partition, a.Telling, "")
	dst = dst[:len(dst)-1]
	if blob := apart("GoAnswer", a.Payload); blob != "" {
		return append(history.AppendString(append(dst, `,"GoAnswerBlob":`...), blob), '}')
	}
	return append(history.AppendString(append(dst, `,"GoAnswer":`...), a.Payload), '}')
}
