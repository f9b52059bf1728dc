package history

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// MaxColumn is the longest text that stands in a column of a row, in UTF-16
// units: half of what the official engine measures as 60 KiB.
const MaxColumn = 30 << 10

// Apart is asked for each text of a row whether it is kept somewhere else. It
// returns the name of the blob that holds the text, or "" for a text that stays
// in the row.
type Apart func(column string, value Payload) (blob string)

// blobSuffix makes the name of the column that says where a text is: that of
// the official engine.
const blobSuffix = "BlobName"

// FitsColumn reports whether a text may stand in a column of a row.
func FitsColumn[T ~string | ~[]byte](text T) bool {
	// No text has more units than bytes.
	return len(text) <= MaxColumn || UTF16Len(text) <= MaxColumn
}

// UTF16Len is the length of a text in UTF-16 units.
func UTF16Len[T ~string | ~[]byte](text T) (units int) {
	for i := 0; i < len(text); units++ {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := decodeRune(text[i:])
		if r > 0xffff {
			units++
		}
		i += size
	}
	return units
}

// apartColumns are the columns that may be kept apart. Official writers do so
// with most of them.
var apartColumns = []string{"Input", "Result", "Reason", "Details", "Data", "FailureDetails", "Tags", "Correlation", "GoOptions", "ParentInstance", "ParentTraceContext"}

// BlobColumns are the names of the columns that say where a text of a row is.
func BlobColumns() []string {
	out := make([]string, len(apartColumns))
	for i, column := range apartColumns {
		out[i] = column + blobSuffix
	}
	return out
}

// RowBlobs are the blobs that hold texts of a row, by column; nil for nearly
// all rows. A column with a text of its own needs no blob.
func RowBlobs(raw []byte) (map[string]string, error) {
	if !bytes.Contains(raw, []byte(blobSuffix+`"`)) {
		return nil, nil
	}
	var columns map[string]json.RawMessage
	if err := json.Unmarshal(raw, &columns); err != nil {
		return nil, undecodable(raw, err)
	}
	var blobs map[string]string
	for _, column := range apartColumns {
		var name string
		if raw := columns[column+blobSuffix]; raw == nil || json.Unmarshal(raw, &name) != nil || name == "" {
			continue
		}
		if text := columns[column]; len(text) > len(`""`) {
			// Somebody has written the column since, such as a rewind.
			continue
		}
		if blobs == nil {
			blobs = map[string]string{}
		}
		blobs[column] = name
	}
	return blobs, nil
}

// insert puts texts that were kept apart into the columns that hold objects.
func (w *wireRow) insert(texts map[string]Payload) {
	for column, to := range map[string]*string{
		"FailureDetails": &w.FailureDetails, "Tags": &w.Tags, "Correlation": &w.Correlation,
		"ParentInstance": &w.ParentInstance, "ParentTraceContext": &w.ParentTraceContext,
	} {
		if text, apart := texts[column]; apart {
			*to = string(text)
		}
	}
}

// takeOver gives the event the payloads that were kept apart.
func (e *Event) takeOver(texts map[string]Payload) {
	for column, to := range map[string]*Payload{
		"Input": &e.Input, "Result": &e.Result, "Reason": &e.Reason, "Details": &e.Details, "GoOptions": &e.Own.Options,
	} {
		if text, apart := texts[column]; apart {
			*to = text
		}
	}
	if data, apart := texts["Data"]; apart && e.Type == GenericEvent {
		e.Reason = data
	}
}
