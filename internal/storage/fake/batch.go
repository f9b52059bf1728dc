package fake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"sort"
	"strings"
)

// Limits of an entity group transaction.
const (
	maxOperations = 100
	maxBatch      = 4 << 20
)

// serveBatch applies an entity group transaction: a multipart body whose only
// part is a changeset. A transaction that fails is answered 202 like one that
// succeeds; the failure is inside.
func (a *Account) serveBatch(c *call) *reply {
	if len(c.body) > maxBatch {
		return odataError(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large.")
	}
	calls, err := parseChangeset(c)
	if err != nil {
		return odataError(http.StatusBadRequest, "InvalidInput", err.Error())
	}
	if len(calls) > maxOperations {
		return batchReply(nil, odataError(http.StatusBadRequest, "InvalidInput", "99:The batch request operation exceeds the maximum 100 changes per change set."))
	}
	name, _, _, _ := parseResource(calls[0].path[0])
	t := a.tables[strings.ToLower(name)]
	if t == nil {
		return batchReply(nil, at(0, a.absentTable(c, name)))
	}
	answers, failed := a.transact(t, calls)
	r := batchReply(answers, failed)
	r.rows = len(answers)
	return r
}

// transact applies all operations or none.
func (a *Account) transact(t *table, calls []*call) (answers []*reply, failed *reply) {
	operations := make([]*operation, len(calls))
	seen := map[rowKeys]bool{}
	for i, c := range calls {
		name, keys, isRow, err := parseResource(c.path[0])
		if err != nil || !strings.EqualFold(name, t.name) {
			return nil, at(i, odataError(http.StatusBadRequest, "InvalidInput", "All operations of a transaction must be on one table."))
		}
		op, refused := parseOperation(c, keys, isRow)
		if refused != nil {
			return nil, at(i, refused)
		}
		operations[i] = op
		switch {
		case op.keys.partition != operations[0].keys.partition:
			return nil, at(i, odataError(http.StatusBadRequest, "CommandsInBatchActOnDifferentPartitions", "All commands in a batch must operate on same entity group."))
		case seen[op.keys]:
			return nil, at(i, odataError(http.StatusBadRequest, "InvalidDuplicateRow", "The batch request contains multiple changes with same row key."))
		}
		seen[op.keys] = true
		// No row is written twice, so each can be checked before any is applied.
		if refused := op.check(t); refused != nil {
			return nil, at(i, refused)
		}
	}
	stamp := a.now()
	for _, op := range operations {
		answers = append(answers, op.apply(t, stamp))
	}
	return answers, nil
}

// at puts the place of the operation before the text of its error, as the
// service does.
func at(i int, r *reply) *reply {
	r.body = bytes.Replace(r.body, []byte(`"value":"`), fmt.Appendf(nil, `"value":"%d:`, i), 1)
	return r
}

// parseChangeset reads the operations of a transaction.
func parseChangeset(c *call) ([]*call, error) {
	outer, err := parts(c.header.Get("Content-Type"), c.body)
	if err != nil {
		return nil, err
	}
	if len(outer) != 1 {
		return nil, fmt.Errorf("a transaction has one changeset, this one %d", len(outer))
	}
	inner, err := parts(outer[0].header, outer[0].body)
	if err != nil {
		return nil, err
	}
	if len(inner) == 0 {
		return nil, fmt.Errorf("the changeset is empty")
	}
	calls := make([]*call, len(inner))
	for i, p := range inner {
		if calls[i], err = parseCall(p.body); err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		calls[i].strict = c.strict
	}
	return calls, nil
}

type part struct {
	header string // Content-Type
	body   []byte
}

func parts(contentType string, body []byte) ([]part, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, fmt.Errorf("content type %q has no boundary", contentType)
	}
	var out []part
	for reader := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		p, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		out = append(out, part{p.Header.Get("Content-Type"), text})
	}
}

// parseCall reads an HTTP request inside a part.
func parseCall(text []byte) (*call, error) {
	// A request without a body may come without the empty line that ends it.
	req, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader(text), strings.NewReader("\r\n\r\n"))))
	if err != nil {
		return nil, err
	}
	_, body, _ := bytes.Cut(text, []byte("\r\n\r\n"))
	address, err := url.Parse(req.RequestURI)
	if err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(address.Path, "/")
	return &call{method: req.Method, path: []string{path}, query: address.Query(), header: req.Header, body: bytes.TrimSpace(body)}, nil
}

// batchReply is the multipart answer: one inner answer for each operation, or
// that of the one that failed.
func batchReply(answers []*reply, failed *reply) *reply {
	const outer, inner = "batchresponse_fake", "changesetresponse_fake"
	if failed != nil {
		answers = []*reply{failed}
	}
	var b bytes.Buffer
	b.WriteString("--" + outer + "\r\nContent-Type: multipart/mixed; boundary=" + inner + "\r\n\r\n")
	for _, r := range answers {
		b.WriteString("--" + inner + "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n")
		fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\nDataServiceVersion: 3.0;\r\n", r.status, http.StatusText(r.status))
		names := make([]string, 0, len(r.header))
		for name := range r.header {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			b.WriteString(name + ": " + r.header[name] + "\r\n")
		}
		b.WriteString("\r\n")
		b.Write(r.body)
		b.WriteString("\r\n")
	}
	b.WriteString("--" + inner + "--\r\n--" + outer + "--\r\n")
	out := &reply{status: http.StatusAccepted, body: b.Bytes(), failed: failed != nil}
	return out.set("Content-Type", "multipart/mixed; boundary="+outer)
}
