package fake

import (
	"bytes"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// container is a container of blobs.
type container struct{ blobs map[string]*blob }

type blob struct {
	content []byte
	kind    string // Content-Type
	changed time.Time
}

func (b *blob) etag() string { return etagAt(b.changed) }

func etagAt(changed time.Time) string {
	return `"0x` + strings.ToUpper(strconv.FormatInt(changed.UnixNano()/100, 16)) + `"`
}

func (a *Account) serveBlob(c *call) *reply {
	name := c.path[0]
	held := a.containers[name]
	if len(c.path) == 1 || c.path[1] == "" {
		if c.method == http.MethodGet && c.query.Get("comp") == "list" && held != nil {
			return listBlobs(c, name, held)
		}
		return a.serveContainer(c, name)
	}
	if held == nil {
		return a.absent(c, "blob", "Container", name)
	}
	have := held.blobs[c.path[1]]
	switch c.method {
	case http.MethodPut:
		return a.putBlob(c, held, have)
	case http.MethodGet, http.MethodHead:
		return getBlob(c, have)
	case http.MethodDelete:
		if refused := conditions(c, have); refused != nil {
			return refused
		}
		if have == nil {
			return refuse(http.StatusNotFound, "BlobNotFound")
		}
		delete(held.blobs, c.path[1])
		return (&reply{status: http.StatusAccepted})
	}
	return refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb")
}

func (a *Account) serveContainer(c *call, name string) *reply {
	have := a.containers[name]
	switch {
	case c.method == http.MethodPut && !c.validName(queueNames, name):
		return refuse(http.StatusBadRequest, "InvalidResourceName")
	case c.method == http.MethodPut && a.isLeaving("blob", name):
		return refuse(http.StatusConflict, "ContainerBeingDeleted")
	case c.method == http.MethodPut && have != nil:
		return refuse(http.StatusConflict, "ContainerAlreadyExists")
	case c.method == http.MethodPut:
		a.containers[name] = &container{blobs: map[string]*blob{}}
		return (&reply{status: http.StatusCreated}).set("ETag", etagAt(a.now()))
	case have == nil:
		return refuse(http.StatusNotFound, "ContainerNotFound")
	case c.method == http.MethodDelete:
		delete(a.containers, name)
		a.leave("blob", name, containerLeaves)
		return (&reply{status: http.StatusAccepted})
	}
	return refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb")
}

// listBlobs answers all blobs with the prefix in one page.
func listBlobs(c *call, name string, held *container) *reply {
	var out bytes.Buffer
	out.WriteString(`<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="` + name + `"><Blobs>`)
	rows := 0
	if c.emptyPage(c.query.Get("marker") != "") {
		out.WriteString("</Blobs><NextMarker>first</NextMarker></EnumerationResults>")
		return (&reply{status: http.StatusOK, body: out.Bytes()}).set("Content-Type", "application/xml")
	}
	for _, key := range slices.Sorted(maps.Keys(held.blobs)) {
		if !strings.HasPrefix(key, c.query.Get("prefix")) {
			continue
		}
		b := held.blobs[key]
		out.WriteString("<Blob><Name>")
		_ = xml.EscapeText(&out, []byte(key)) // a buffer takes everything
		out.WriteString("</Name><Properties><Last-Modified>" + b.changed.Format(http.TimeFormat) + "</Last-Modified><Etag>" +
			strings.Trim(b.etag(), `"`) + "</Etag><Content-Length>" + strconv.Itoa(len(b.content)) + "</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>")
		rows++
	}
	out.WriteString("</Blobs><NextMarker/></EnumerationResults>")
	return (&reply{status: http.StatusOK, body: out.Bytes(), rows: rows}).set("Content-Type", "application/xml")
}

// Blobs are the blobs of a container, by name; changing them changes nothing.
func (a *Account) Blobs(container string) map[string][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string][]byte{}
	if held := a.containers[container]; held != nil {
		for name, b := range held.blobs {
			out[name] = slices.Clone(b.content)
		}
	}
	return out
}

// conditions are If-Match and If-None-Match. A blob that must not exist and
// does is a conflict, every other difference a failed condition.
func conditions(c *call, have *blob) *reply {
	match, noneMatch := c.header.Get("If-Match"), c.header.Get("If-None-Match")
	switch {
	case noneMatch == "*" && have != nil:
		return refuse(http.StatusConflict, "BlobAlreadyExists")
	case match != "" && have == nil,
		match != "" && match != "*" && match != have.etag(),
		noneMatch != "" && have != nil && noneMatch == have.etag():
		return refuse(http.StatusPreconditionFailed, "ConditionNotMet")
	}
	return nil
}

func (a *Account) putBlob(c *call, held *container, have *blob) *reply {
	if c.query.Get("comp") != "" || c.header.Get("x-ms-blob-type") != "BlockBlob" {
		return refuse(http.StatusBadRequest, "UnsupportedHeader")
	}
	if refused := conditions(c, have); refused != nil {
		return refused
	}
	kind := c.header.Get("x-ms-blob-content-type")
	if kind == "" {
		kind = "application/octet-stream"
	}
	b := &blob{content: c.body, kind: kind, changed: a.now()}
	held.blobs[c.path[1]] = b
	return (&reply{status: http.StatusCreated}).set("ETag", b.etag()).set("Last-Modified", b.changed.Format(http.TimeFormat))
}

func getBlob(c *call, have *blob) *reply {
	if have == nil {
		return refuse(http.StatusNotFound, "BlobNotFound")
	}
	if match := c.header.Get("If-Match"); match != "" && match != "*" && match != have.etag() {
		return refuse(http.StatusPreconditionFailed, "ConditionNotMet")
	}
	r := &reply{status: http.StatusOK, body: have.content, rows: 1}
	if c.method == http.MethodHead {
		r.body = nil
	}
	return r.set("ETag", have.etag()).set("Last-Modified", have.changed.Format(http.TimeFormat)).set("Content-Type", have.kind).
		set("Content-Length", strconv.Itoa(len(have.content))).set("x-ms-blob-type", "BlockBlob")
}
