package fake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"
)

// column is a property of a row: its JSON and its EDM type. The type is empty
// where JSON says it (text, Int32, Boolean).
type column struct {
	name string
	raw  json.RawMessage
	edm  string
}

// Limits of a row (learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model).
const (
	maxColumn  = 32 << 10 // UTF-16 units of a text
	maxRow     = 1 << 20  // bytes
	maxColumns = 252
	maxBinary  = 64 << 10 // bytes
)

// parseEntity reads the JSON of a row. Columns that are null and what the
// service itself sets are left out; keys are returned apart, present says which
// of them are there.
func parseEntity(body []byte) (columns []column, keys rowKeys, present int, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, keys, 0, errSyntax("entity", string(body))
	}
	types := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, keys, 0, errSyntax("entity", string(body))
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, keys, 0, errSyntax("entity", string(body))
		}
		switch name := name.(string); {
		case name == "PartitionKey":
			err, present = json.Unmarshal(raw, &keys.partition), present+1
		case name == "RowKey":
			err, present = json.Unmarshal(raw, &keys.row), present+1
		case strings.HasSuffix(name, "@odata.type"):
			var edm string
			err = json.Unmarshal(raw, &edm)
			types[strings.TrimSuffix(name, "@odata.type")] = edm
		case name == "Timestamp" || strings.HasPrefix(name, "odata.") || string(raw) == "null":
		default:
			columns = append(columns, column{name: name, raw: raw})
		}
		if err != nil {
			return nil, keys, 0, errSyntax("entity", string(body))
		}
	}
	for i := range columns {
		if edm := types[columns[i].name]; edm != "Edm.String" && edm != "Edm.Int32" && edm != "Edm.Boolean" {
			columns[i].edm = edm
		}
	}
	return columns, keys, present, nil
}

// checkEntity refuses what does not fit a row. strict also has the types and
// names of its columns checked.
func checkEntity(columns []column, keys rowKeys, strict bool) *reply {
	for _, key := range []string{keys.partition, keys.row} {
		if strings.ContainsAny(key, "/\\#?") || strings.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }) {
			return odataError(http.StatusBadRequest, "OutOfRangeInput", fmt.Sprintf("The key %q has a character that is not allowed.", key))
		}
		if len(utf16.Encode([]rune(key))) > 512 {
			return odataError(http.StatusBadRequest, "KeyValueTooLarge", "A key has more than 1 KiB.")
		}
	}
	if len(columns) > maxColumns {
		return odataError(http.StatusBadRequest, "TooManyProperties", "The entity contains more properties than allowed.")
	}
	size := 4 + 2*len(utf16.Encode([]rune(keys.partition+keys.row)))
	for _, c := range columns {
		if refused := c.check(strict); refused != nil {
			return refused
		}
		size += 8 + 2*len(c.name) + c.size()
	}
	if size > maxRow {
		return odataError(http.StatusBadRequest, "EntityTooLarge", "The entity is larger than the maximum allowed size (1MB).")
	}
	return nil
}

func (c *column) check(strict bool) *reply {
	var text string
	if len(c.raw) > maxColumn && c.edm != "Edm.Binary" && json.Unmarshal(c.raw, &text) == nil && len(utf16.Encode([]rune(text))) > maxColumn {
		return odataError(http.StatusBadRequest, "PropertyValueTooLarge", "The property value exceeds the maximum allowed size (64KB).")
	}
	if !strict {
		return nil
	}
	if refused := c.checkName(); refused != nil {
		return refused
	}
	return c.checkType()
}

// merged is the columns with those of change put over them.
func merged(columns, change []column) []column {
	out := slices.Clone(columns)
	for _, c := range change {
		i := slices.IndexFunc(out, func(have column) bool { return have.name == c.name })
		if i >= 0 {
			out[i] = c
		} else {
			out = append(out, c)
		}
	}
	return out
}

// metadata is how much a reply says of types.
type metadata int

const (
	noMetadata metadata = iota
	minimalMetadata
	fullMetadata
)

// metadataOf reads Accept, or the query's $format.
func metadataOf(c *call) metadata {
	wanted := c.header.Get("Accept") + c.query.Get("$format")
	switch {
	case strings.Contains(wanted, "odata=fullmetadata"):
		return fullMetadata
	case strings.Contains(wanted, "odata=nometadata"):
		return noMetadata
	}
	return minimalMetadata
}

// append writes the row as a reply has it.
func (r *row) append(dst []byte, level metadata, table string) []byte {
	dst = append(dst, '{')
	if level > noMetadata && !r.untagged {
		dst = append(dst, `"odata.etag":`+quoteJSON(r.etag())+`,`...)
	}
	if level == fullMetadata {
		address := table + "(PartitionKey='" + r.partition + "',RowKey='" + r.key + "')"
		dst = append(dst, `"odata.type":"fake.`+table+`","odata.id":`+quoteJSON("http://table.fake/"+address)+`,"odata.editLink":`+quoteJSON(address)+`,`...)
	}
	dst = append(dst, `"PartitionKey":`+quoteJSON(r.partition)+`,"RowKey":`+quoteJSON(r.key)+`,`...)
	if level == fullMetadata {
		dst = append(dst, `"Timestamp@odata.type":"Edm.DateTime",`...)
	}
	dst = append(dst, `"Timestamp":"`+stampText(r.stamp)+`"`...)
	for _, c := range r.columns {
		if c.edm != "" && level > noMetadata {
			dst = append(dst, `,`+quoteJSON(c.name+"@odata.type")+`:`+quoteJSON(c.edm)...)
		}
		dst = append(dst, `,`+quoteJSON(c.name)+`:`...)
		dst = append(dst, c.raw...)
	}
	return append(dst, '}')
}

func errSyntax(what, text string) error {
	return fmt.Errorf("syntax error in %s: %.200s", what, text)
}
