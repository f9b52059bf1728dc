package fake

import (
	"encoding/base64"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// maxPage is how many rows a page has at most.
const maxPage = 1000

// query answers a page of the rows that pass $filter, in the order of their
// keys.
func (t *table) query(c *call) *reply {
	var f *filter
	if text := c.query.Get("$filter"); text != "" {
		var err error
		if f, err = parseFilter(text); err != nil {
			return odataError(http.StatusBadRequest, "InvalidInput", err.Error())
		}
	}
	if refused := f.checkTimes(); refused != nil && c.strict {
		return refused
	}
	top := maxPage
	if text := c.query.Get("$top"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			return odataError(http.StatusBadRequest, "InvalidInput", "$top is not between 1 and 1000.")
		}
		top = n
	}
	from := rowKeys{readToken(c.query.Get("NextPartitionKey")), readToken(c.query.Get("NextRowKey"))}
	if c.page > 0 {
		top = min(top, c.page)
	}
	if c.emptyPage(c.query.Get("NextPartitionKey") != "") {
		return t.noRows(from)
	}
	rows, next := t.page(f, from, top)
	level := metadataOf(c)
	selected := selectedColumns(c.query.Get("$select"))
	body := []byte(`{"odata.metadata":"http://table.fake/$metadata#` + t.name + `","value":[`)
	if level == noMetadata {
		body = []byte(`{"value":[`)
	}
	for i, r := range rows {
		if i > 0 {
			body = append(body, ',')
		}
		r = r.only(selected)
		r.untagged = c.strict && selected != nil
		body = r.append(body, level, t.name)
	}
	out := jsonReply(http.StatusOK, append(body, "]}"...))
	out.rows = len(rows)
	if next != nil {
		out.set("x-ms-continuation-NextPartitionKey", token(next.partition)).set("x-ms-continuation-NextRowKey", token(next.key))
	}
	return out
}

// noRows is a page without rows that another follows.
func (t *table) noRows(from rowKeys) *reply {
	return jsonReply(http.StatusOK, []byte(`{"value":[]}`)).
		set("x-ms-continuation-NextPartitionKey", token(from.partition)).set("x-ms-continuation-NextRowKey", token(from.row))
}

// selectedColumns reads $select; nil is all columns.
func selectedColumns(text string) map[string]bool {
	if text == "" {
		return nil
	}
	out := map[string]bool{}
	for name := range strings.SplitSeq(text, ",") {
		out[strings.TrimSpace(name)] = true
	}
	return out
}

// only is the row without the columns that are not selected. Its keys stay.
func (r *row) only(selected map[string]bool) *row {
	if selected == nil {
		return r
	}
	out := &row{partition: r.partition, key: r.key, stamp: r.stamp}
	for _, c := range r.columns {
		if selected[c.name] {
			out.columns = append(out.columns, c)
		}
	}
	return out
}

// Continuation tokens are opaque to clients; these carry a key.
func token(key string) string { return "1!" + base64.RawURLEncoding.EncodeToString([]byte(key)) }

func readToken(text string) string {
	if len(text) < 2 {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(text[2:])
	if err != nil {
		return ""
	}
	return string(raw)
}

// page returns up to top rows, beginning with the key from, and the row at
// which the next page begins.
func (t *table) page(f *filter, from rowKeys, top int) (rows []*row, next *row) {
	for _, key := range t.candidates(f, from.partition) {
		start := f.lowerBound()
		if key == from.partition {
			start = max(start, from.row)
		}
		p := t.partitions[key]
		at, _ := p.search(start)
		end := len(p.rows)
		if bound := f.upperBound(); bound != "" {
			end, _ = p.search(bound)
		}
		for _, r := range p.rows[at:max(at, end)] {
			if !f.match(r) {
				continue
			}
			if len(rows) == top {
				return rows, r
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// candidates are the partitions that may have rows that pass, from a key on.
func (t *table) candidates(f *filter, from string) []string {
	if key, ok := f.partition(); ok {
		if t.partitions[key] == nil || key < from {
			return nil
		}
		return []string{key}
	}
	keys := t.ordered()
	return keys[sort.SearchStrings(keys, from):]
}

// partition is the only partition whose rows can pass, if there is one.
func (f *filter) partition() (string, bool) {
	switch {
	case f == nil:
		return "", false
	case f.operator == "and":
		if key, ok := f.left.partition(); ok {
			return key, true
		}
		return f.right.partition()
	}
	return f.value.text, f.operator == "eq" && f.column == "PartitionKey"
}

// upperBound is a row key from which on nothing passes; empty: none is known.
func (f *filter) upperBound() string {
	switch {
	case f == nil:
		return ""
	case f.operator == "and":
		left, right := f.left.upperBound(), f.right.upperBound()
		if left == "" || right != "" && right < left {
			return right
		}
		return left
	case f.column == "RowKey" && f.operator == "lt":
		return f.value.text
	case f.column == "RowKey" && (f.operator == "le" || f.operator == "eq"):
		return f.value.text + "\x00"
	}
	return ""
}

// lowerBound is a row key below which nothing passes.
func (f *filter) lowerBound() string {
	switch {
	case f == nil:
		return ""
	case f.operator == "and":
		return max(f.left.lowerBound(), f.right.lowerBound())
	case f.column == "RowKey" && (f.operator == "ge" || f.operator == "gt" || f.operator == "eq"):
		return f.value.text
	}
	return ""
}
