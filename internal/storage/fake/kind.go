package fake

import (
	"bytes"
	"net/http"
	"strings"
)

// Kind is what a request asks of what.
type Kind struct {
	// Service is table, queue or blob.
	Service string
	// Operation is a word or two. Tables have insert, upsert, replace, merge,
	// "insert or merge", delete, get, query, transaction, "create table", "delete
	// table" and "list tables"; queues put, get, peek, update, delete, clear,
	// metadata, "create queue" and "delete queue"; blobs put, get, delete, list,
	// "create container" and "delete container". Any other request is "invalid".
	Operation string
	// Target is the name of the table, queue or container, as it is in the
	// request.
	Target string
}

// kindOf reads it from the request, before that is applied.
func kindOf(service string, c *call) Kind {
	kind := Kind{Service: service, Operation: "invalid"}
	switch service {
	case "table":
		kind.Operation, kind.Target = tableOperation(c)
	case "queue":
		kind.Operation, kind.Target = queueOperation(c), c.path[0]
	case "blob":
		kind.Operation, kind.Target = blobOperation(c), c.path[0]
	}
	return kind
}

func tableOperation(c *call) (operation, target string) {
	resource, keys, isRow, err := parseResource(c.path[0])
	switch {
	case err != nil:
		return "invalid", ""
	case resource == "$batch":
		return "transaction", batchTarget(c.body)
	case resource == "Tables":
		operation = map[string]string{http.MethodPost: "create table", http.MethodDelete: "delete table", http.MethodGet: "list tables"}[c.method]
		return orInvalid(operation), keys.partition
	case c.method == http.MethodGet:
		return pick(isRow, "get", "query"), resource
	}
	return orInvalid(rowOperation(c, isRow)), resource
}

// rowOperation is what a write asks of a row; empty for no such request.
func rowOperation(c *call, isRow bool) string {
	method := c.method
	if tunneled := c.header.Get("X-HTTP-Method"); method == http.MethodPost && tunneled != "" {
		method = tunneled
	}
	conditional := c.header.Get("If-Match") != ""
	switch {
	case method == http.MethodPost && !isRow:
		return "insert"
	case method == http.MethodPut && isRow:
		return pick(conditional, "replace", "upsert")
	case (method == "MERGE" || method == http.MethodPatch) && isRow:
		return pick(conditional, "merge", "insert or merge")
	case method == http.MethodDelete && isRow:
		return "delete"
	}
	return ""
}

// batchTarget is the table of the first operation of a transaction.
func batchTarget(body []byte) string {
	line, _, _ := bytes.Cut(body, []byte(" HTTP/1.1"))
	address := string(line[bytes.LastIndexByte(line, '\n')+1:])
	name, _, _ := strings.Cut(address[strings.LastIndexByte(address, '/')+1:], "(")
	if at := strings.Index(address, "(PartitionKey="); at >= 0 {
		// A key may have a slash in it, percent-encoded or not.
		name = address[strings.LastIndexByte(address[:at], '/')+1 : at]
	}
	return name
}

func queueOperation(c *call) string {
	rest := ""
	if len(c.path) > 1 {
		rest = c.path[1]
	}
	one := strings.HasPrefix(rest, "messages/")
	operations := map[string]string{http.MethodPut: "update", http.MethodDelete: pick(one, "delete", "clear")}
	switch {
	case rest == "" && c.query.Get("comp") == "list":
		return "list"
	case rest == "" && c.query.Get("comp") == "metadata":
		operations = map[string]string{http.MethodGet: "metadata"}
	case rest == "":
		operations = map[string]string{http.MethodPut: "create queue", http.MethodDelete: "delete queue"}
	case !one:
		operations[http.MethodPost] = "put"
		operations[http.MethodGet] = pick(c.query.Get("peekonly") == "true", "peek", "get")
	}
	return orInvalid(operations[c.method])
}

func blobOperation(c *call) string {
	if len(c.path) == 1 || c.path[1] == "" {
		if c.query.Get("comp") == "list" {
			return "list"
		}
		return orInvalid(map[string]string{http.MethodPut: "create container", http.MethodDelete: "delete container"}[c.method])
	}
	return orInvalid(map[string]string{http.MethodPut: "put", http.MethodGet: "get", http.MethodHead: "get", http.MethodDelete: "delete"}[c.method])
}

func orInvalid(operation string) string { return pick(operation == "", "invalid", operation) }
