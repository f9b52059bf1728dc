package azure

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// entity writes the JSON of a row.
type entity struct {
	dst []byte
	err error
}

func newEntity(partition, row string) *entity {
	e := &entity{dst: append(make([]byte, 0, 512), `{"PartitionKey":`...)}
	e.dst = history.AppendString(e.dst, partition)
	e.dst = append(e.dst, `,"RowKey":`...)
	e.dst = history.AppendString(e.dst, row)
	return e
}

func (e *entity) name(name string) {
	e.dst = append(e.dst, `,"`...)
	e.dst = append(e.dst, name...)
	e.dst = append(e.dst, `":`...)
}

func (e *entity) text(name, value string) {
	if len(value) > taskhub.MaxText && history.UTF16Len(value) > taskhub.MaxText {
		e.err = fmt.Errorf("column %s: more than %d characters: %w: %w", name, taskhub.MaxText, taskhub.ErrRefused, taskhub.ErrTooLarge)
	}
	e.name(name)
	e.dst = history.AppendString(e.dst, value)
}

// payload writes nothing for an absent text.
func (e *entity) payload(name string, value history.Payload) {
	if value != nil {
		e.text(name, string(value))
	}
}

func (e *entity) int32(name string, value int32) {
	e.name(name)
	e.dst = strconv.AppendInt(e.dst, int64(value), 10)
}

// int64 is a text with a type: a bare number would lose digits.
func (e *entity) int64(name string, value int64) {
	e.name(name)
	e.dst = append(strconv.AppendInt(append(e.dst, '"'), value, 10), '"')
	e.name(name + "@odata.type")
	e.dst = append(e.dst, `"Edm.Int64"`...)
}

func (e *entity) bool(name string, value bool) {
	e.name(name)
	e.dst = strconv.AppendBool(e.dst, value)
}

// time writes nothing for the zero time, which the service does not keep.
func (e *entity) time(name string, value time.Time) {
	if value.IsZero() {
		return
	}
	e.name(name)
	e.dst = value.UTC().Truncate(100*time.Nanosecond).AppendFormat(e.dst, `"2006-01-02T15:04:05.0000000Z"`)
	e.name(name + "@odata.type")
	e.dst = append(e.dst, `"Edm.DateTime"`...)
}

func (e *entity) end() ([]byte, error) { return append(e.dst, '}'), e.err }

func body(raw []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(raw)) }
