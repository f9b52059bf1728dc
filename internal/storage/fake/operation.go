package fake

import (
	"net/http"
	"strings"
	"time"
)

// operation is a write of one row, on its own or in a transaction.
type operation struct {
	name    string // insert, upsert, replace, insert or merge, merge, delete
	keys    rowKeys
	columns []column
	ifMatch string
	// strict has the row checked that a merge makes.
	strict bool
	// quiet asks for no body in the answer to an insert.
	quiet bool
	level metadata
}

func parseOperation(c *call, keys rowKeys, isRow bool) (*operation, *reply) {
	op := &operation{keys: keys, ifMatch: c.header.Get("If-Match"), level: metadataOf(c)}
	switch op.name = rowOperation(c, isRow); op.name {
	case "":
		return nil, odataError(http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.")
	case "insert":
		op.quiet = strings.EqualFold(c.header.Get("Prefer"), "return-no-content")
	case "delete":
		if op.ifMatch == "" {
			return nil, odataError(http.StatusBadRequest, "InvalidInput", "A delete needs If-Match.")
		}
		return op, nil
	}
	return op, op.readBody(c)
}

func pick(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func (op *operation) readBody(c *call) *reply {
	columns, keys, present, err := parseEntity(c.body)
	if err != nil {
		return odataError(http.StatusBadRequest, "InvalidInput", err.Error())
	}
	if op.name == "insert" {
		op.keys = keys
		if present < 2 {
			return odataError(http.StatusBadRequest, "PropertiesNeedValue", "The values are not specified for all properties in the entity.")
		}
	} else if present > 0 && keys != op.keys {
		return odataError(http.StatusBadRequest, "InvalidInput", "The keys in the body are not those of the address.")
	}
	op.columns, op.strict = columns, c.strict
	return checkEntity(columns, op.keys, c.strict)
}

// check refuses an operation that cannot be applied.
func (op *operation) check(t *table) *reply {
	have := t.find(op.keys.partition, op.keys.row)
	switch {
	case op.name == "insert" && have != nil:
		return odataError(http.StatusConflict, "EntityAlreadyExists", "The specified entity already exists.")
	case op.ifMatch != "" && have == nil:
		return odataError(http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist.")
	case op.ifMatch != "" && op.ifMatch != "*" && op.ifMatch != have.etag():
		return odataError(http.StatusPreconditionFailed, "UpdateConditionNotSatisfied", "The update condition specified in the request was not satisfied.")
	case op.strict && have != nil && strings.HasSuffix(op.name, "merge"):
		return checkEntity(merged(have.columns, op.columns), op.keys, true)
	}
	return nil
}

// apply checks and does it.
func (op *operation) apply(t *table, stamp time.Time) *reply {
	if refused := op.check(t); refused != nil {
		return refused
	}
	have := t.find(op.keys.partition, op.keys.row)
	if op.name == "delete" {
		t.remove(have)
		return &reply{status: http.StatusNoContent, rows: 1}
	}
	next := &row{partition: op.keys.partition, key: op.keys.row, columns: op.columns, stamp: stamp}
	if strings.HasSuffix(op.name, "merge") && have != nil {
		next.columns = merged(have.columns, op.columns)
	}
	t.put(next)
	out := &reply{status: http.StatusNoContent}
	switch {
	case op.name == "insert" && op.quiet:
		out.set("Preference-Applied", "return-no-content")
	case op.name == "insert":
		out = jsonReply(http.StatusCreated, next.append(nil, op.level, t.name))
	}
	out.rows = 1
	return out.set("ETag", next.etag())
}
