package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// ErrUnreadable is what errors.Is finds in an [UnreadableError].
var ErrUnreadable = errors.New("the history cannot be read")

// UnreadableError means that a stored history is not one that this engine, or any
// engine, can have written as it is: another program has changed it, or a newer
// engine has written it. To read it again gives the same. The instance can be
// terminated and purged, which needs no history.
type UnreadableError struct {
	// Row is the key of the row, empty where no row has to do with it.
	Row string
	// Column is the column of the row, empty where the row itself is wrong.
	Column string
	// Reason is what is wrong.
	Reason string
	// Cause is the error of the decoder, nil where there is none.
	Cause error
}

func (e *UnreadableError) Error() string {
	text := ErrUnreadable.Error() + ":"
	if e.Row != "" {
		text += " row " + e.Row
	}
	if e.Column != "" {
		text += " column " + e.Column
	}
	text += " " + e.Reason
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Is reports whether the target is ErrUnreadable.
func (e *UnreadableError) Is(target error) bool { return target == ErrUnreadable }

// Unwrap is the decoder's error.
func (e *UnreadableError) Unwrap() error { return e.Cause }

// wrong is an UnreadableError of a column, of a row that the caller names.
func wrong(column, reason string, cause error) error {
	return &UnreadableError{Column: column, Reason: reason, Cause: cause}
}

// inRow names the row in an error about one of its columns.
func inRow(err error, row string) error {
	unreadable := new(UnreadableError)
	if !errors.As(err, &unreadable) {
		unreadable = &UnreadableError{Reason: "cannot be decoded", Cause: err}
	}
	named := *unreadable
	named.Row = row
	return &named
}

// undecodable finds the column whose value no row can have.
func undecodable(raw []byte, cause error) error {
	var columns map[string]json.RawMessage
	if json.Unmarshal(raw, &columns) != nil {
		return &UnreadableError{Reason: "a row is no JSON object", Cause: cause}
	}
	var row string
	_ = json.Unmarshal(columns["RowKey"], &row) // a row without a key is named by its column alone
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		one, err := json.Marshal(map[string]json.RawMessage{name: columns[name]})
		if err != nil {
			continue
		}
		var w wireRow
		if err := json.Unmarshal(one, &w); err != nil {
			return inRow(wrong(name, "has a value of another type", err), row)
		}
	}
	return inRow(wrong("", "cannot be decoded", cause), row)
}

// CheckSequence checks that the rows of a history follow one another without a
// gap: from the row first on, and next is the one that will be written next.
func CheckSequence(first, next uint64, rows []Row) error {
	want := first
	for _, row := range rows {
		n, err := strconv.ParseUint(row.RowKey, 16, 64)
		if err != nil {
			return &UnreadableError{Row: row.RowKey, Column: "RowKey", Reason: "is no number of a row", Cause: err}
		}
		if n != want {
			return missing(want, row.RowKey)
		}
		want++
	}
	if want < next {
		return missing(want, "the end")
	}
	return nil
}

func missing(n uint64, before string) error {
	return &UnreadableError{Row: fmt.Sprintf("%016X", n), Reason: "is missing before " + before}
}

// NoSentinel is the error of a history that has rows and no sentinel, which every
// commit writes.
func NoSentinel() error {
	return &UnreadableError{Row: "sentinel", Reason: "is missing, and there are rows of events"}
}
