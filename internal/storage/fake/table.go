package fake

import (
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// table is a table; its name keeps the case in which it was made.
type table struct {
	name       string
	partitions map[string]*partition
	// keys are those of partitions; sorted means that they are in order.
	keys   []string
	sorted bool
}

// partition has rows in the order of their keys.
type partition struct{ rows []*row }

type row struct {
	partition, key string
	columns        []column
	stamp          time.Time
	// untagged leaves the ETag out of replies.
	untagged bool
}

// etag is the service's: the time of the last change.
func (r *row) etag() string {
	return `W/"datetime'` + strings.ReplaceAll(stampText(r.stamp), ":", "%3A") + `'"`
}

func stampText(t time.Time) string { return t.Format("2006-01-02T15:04:05.0000000Z") }

func (t *table) find(partition, key string) *row {
	p := t.partitions[partition]
	if p == nil {
		return nil
	}
	if i, ok := p.search(key); ok {
		return p.rows[i]
	}
	return nil
}

func (p *partition) search(key string) (int, bool) {
	return slices.BinarySearchFunc(p.rows, key, func(r *row, key string) int { return strings.Compare(r.key, key) })
}

// put stores a row over one of the same keys.
func (t *table) put(r *row) {
	p := t.partitions[r.partition]
	if p == nil {
		p = &partition{}
		t.partitions[r.partition] = p
		t.keys, t.sorted = append(t.keys, r.partition), false
	}
	i, ok := p.search(r.key)
	if ok {
		p.rows[i] = r
		return
	}
	p.rows = slices.Insert(p.rows, i, r)
}

func (t *table) remove(r *row) {
	p := t.partitions[r.partition]
	if i, ok := p.search(r.key); ok {
		p.rows = slices.Delete(p.rows, i, i+1)
	}
}

// ordered are the keys of the partitions in order.
func (t *table) ordered() []string {
	if !t.sorted {
		sort.Strings(t.keys)
		t.sorted = true
	}
	return t.keys
}

// serveTable answers by the resource: the list of tables, a transaction, a
// table, or a row.
func (a *Account) serveTable(c *call) *reply {
	resource, keys, isRow, err := parseResource(c.path[0])
	if err != nil {
		return odataError(http.StatusBadRequest, "InvalidInput", err.Error())
	}
	switch resource {
	case "$batch":
		return a.serveBatch(c)
	case "Tables":
		return a.serveTables(c, keys.partition)
	}
	t := a.tables[strings.ToLower(resource)]
	if t == nil {
		return a.absentTable(c, resource)
	}
	if !isRow && c.method == http.MethodGet {
		return t.query(c)
	}
	if isRow && c.method == http.MethodGet {
		return t.get(c, keys)
	}
	op, refused := parseOperation(c, keys, isRow)
	if refused != nil {
		return refused
	}
	r := op.apply(t, a.now())
	return r
}

// rowKeys are the keys in the address of a row, or the name in that of a table.
type rowKeys struct{ partition, row string }

// parseResource takes apart name, name(), name('x') and
// name(PartitionKey='x',RowKey='y'). Quotes in keys are doubled.
func parseResource(path string) (name string, keys rowKeys, isRow bool, err error) {
	name, rest, _ := strings.Cut(path, "(")
	rest = strings.TrimSuffix(rest, ")")
	if rest == "" {
		return name, keys, false, nil
	}
	if strings.HasPrefix(rest, "'") {
		keys.partition, _, err = parseQuoted(rest)
		return name, keys, true, err
	}
	for _, part := range []struct {
		prefix string
		to     *string
	}{{"PartitionKey=", &keys.partition}, {",RowKey=", &keys.row}} {
		text, ok := strings.CutPrefix(rest, part.prefix)
		if !ok {
			return name, keys, true, errSyntax("address of a row", path)
		}
		if *part.to, rest, err = parseQuoted(text); err != nil {
			return name, keys, true, err
		}
	}
	return name, keys, true, nil
}

func (a *Account) serveTables(c *call, name string) *reply {
	switch c.method {
	case http.MethodPost:
		return a.createTable(c)
	case http.MethodDelete:
		if a.tables[strings.ToLower(name)] == nil {
			return odataError(http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist.")
		}
		delete(a.tables, strings.ToLower(name))
		a.leave("table", name, tableLeaves)
		return (&reply{status: http.StatusNoContent})
	case http.MethodGet:
		return a.listTables(c)
	}
	return odataError(http.StatusMethodNotAllowed, "UnsupportedHttpVerb", c.method)
}

func (a *Account) createTable(c *call) *reply {
	var body struct{ TableName string }
	if json.Unmarshal(c.body, &body) != nil || len(body.TableName) < 3 || !c.validName(tableNames, body.TableName) {
		return odataError(http.StatusBadRequest, "InvalidResourceName", "The specified resource name is not valid.")
	}
	if a.isLeaving("table", body.TableName) {
		return tableLeaving()
	}
	if a.tables[strings.ToLower(body.TableName)] != nil {
		return odataError(http.StatusConflict, "TableAlreadyExists", "The table specified already exists.")
	}
	a.tables[strings.ToLower(body.TableName)] = &table{name: body.TableName, partitions: map[string]*partition{}}
	if strings.EqualFold(c.header.Get("Prefer"), "return-no-content") {
		return (&reply{status: http.StatusNoContent}).set("Preference-Applied", "return-no-content")
	}
	return jsonReply(http.StatusCreated, []byte(`{"odata.metadata":"http://table.fake/$metadata#Tables/@Element","TableName":`+quoteJSON(body.TableName)+`}`))
}

func (a *Account) listTables(c *call) *reply {
	if c.emptyPage(c.query.Get("NextTableName") != "") {
		return jsonReply(http.StatusOK, []byte(`{"value":[]}`)).set("x-ms-continuation-NextTableName", token(""))
	}
	names := make([]string, 0, len(a.tables))
	for _, t := range a.tables {
		names = append(names, `{"TableName":`+quoteJSON(t.name)+`}`)
	}
	sort.Strings(names)
	return jsonReply(http.StatusOK, []byte(`{"odata.metadata":"http://table.fake/$metadata#Tables","value":[`+strings.Join(names, ",")+`]}`))
}

func (t *table) get(c *call, keys rowKeys) *reply {
	r := t.find(keys.partition, keys.row)
	if r == nil {
		return odataError(http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist.")
	}
	body := r.append(nil, metadataOf(c), t.name)
	out := jsonReply(http.StatusOK, body).set("ETag", r.etag())
	out.rows = 1
	return out
}

func jsonReply(status int, body []byte) *reply {
	return (&reply{status: status, body: body}).set("Content-Type", "application/json;odata=minimalmetadata;charset=utf-8")
}

// odataError is an error answer of the table service.
func odataError(status int, code, text string) *reply {
	body := `{"odata.error":{"code":` + quoteJSON(code) + `,"message":{"lang":"en-US","value":` +
		quoteJSON(text+"\nRequestId:00000000-0000-0000-0000-000000000000\nTime:2000-01-01T00:00:00.0000000Z") + `}}}`
	r := jsonReply(status, []byte(body))
	r.failed = true
	return r.set("x-ms-error-code", code)
}

func quoteJSON(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return strconv.Quote(s)
	}
	return string(raw)
}
