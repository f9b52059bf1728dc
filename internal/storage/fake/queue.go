package fake

import (
	"bytes"
	"container/heap"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queue is a queue: its messages by id, and in the order in which they become
// visible.
type queue struct {
	messages map[string]*message
	order    byVisibility
	wake     chan struct{} // closed when a message comes, or is visible at another time; nil: nothing waits
}

// changed tells who waits for messages that one came, or is visible at another time.
func (q *queue) changed() {
	if q.wake != nil {
		close(q.wake)
		q.wake = nil
	}
}

// Wake returns a channel that is closed when a message of a queue comes or is to be
// visible at another time, and when the first of those that are there becomes visible;
// zero: there is none. The service has nothing like it: it is for tests in virtual time,
// in which polling would take longer than all else. The queue must exist.
func (a *Account) Wake(name string) (wake <-chan struct{}, due time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queues[name]
	if q.wake == nil {
		q.wake = make(chan struct{})
	}
	if len(q.order) > 0 {
		due = q.order[0].visible
	}
	return q.wake, due
}

type message struct {
	id, receipt, text          string
	inserted, expires, visible time.Time
	dequeued                   int
	serial                     int64
	index                      int // in queue.order
}

// byVisibility is a heap.
type byVisibility []*message

func (h byVisibility) Len() int { return len(h) }
func (h byVisibility) Less(i, j int) bool {
	if h[i].visible.Equal(h[j].visible) {
		return h[i].serial < h[j].serial
	}
	return h[i].visible.Before(h[j].visible)
}
func (h byVisibility) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *byVisibility) Push(x any) {
	m := x.(*message)
	m.index = len(*h)
	*h = append(*h, m)
}
func (h *byVisibility) Pop() any {
	last := len(*h) - 1
	m := (*h)[last]
	*h = (*h)[:last]
	return m
}

// Limits of messages (learn.microsoft.com/rest/api/storageservices/put-message).
const (
	maxMessage = 64 << 10
	maxVisible = 7 * 24 * time.Hour
)

// never is how the service writes that a message does not expire.
var never = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func (a *Account) serveQueue(c *call) *reply {
	name, rest := c.path[0], ""
	if len(c.path) > 1 {
		rest = c.path[1]
	}
	if name == "" && c.query.Get("comp") == "list" {
		return a.listQueues(c)
	}
	if rest == "" {
		return a.serveQueueItself(c, name)
	}
	q := a.queues[name]
	if q == nil {
		return a.absent(c, "queue", "Queue", name)
	}
	id := strings.TrimPrefix(strings.TrimPrefix(rest, "messages"), "/")
	switch c.method {
	case http.MethodPost:
		return a.putMessage(c, q)
	case http.MethodGet:
		if c.query.Get("peekonly") == "true" {
			return a.peek(c, q)
		}
		return a.receive(c, q)
	case http.MethodPut:
		return a.updateMessage(c, q, id)
	case http.MethodDelete:
		if id == "" {
			a.queues[name] = newQueue()
			return (&reply{status: http.StatusNoContent})
		}
		return a.deleteMessage(c, q, id)
	}
	return refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb")
}

// listQueues answers all queues with the prefix in one page.
func (a *Account) listQueues(c *call) *reply {
	var out bytes.Buffer
	out.WriteString(`<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Queues>`)
	if c.emptyPage(c.query.Get("marker") != "") {
		out.WriteString("</Queues><NextMarker>first</NextMarker></EnumerationResults>")
		return (&reply{status: http.StatusOK, body: out.Bytes()}).set("Content-Type", "application/xml")
	}
	rows := 0
	for _, name := range slices.Sorted(maps.Keys(a.queues)) {
		if strings.HasPrefix(name, c.query.Get("prefix")) {
			out.WriteString("<Queue><Name>" + name + "</Name></Queue>")
			rows++
		}
	}
	out.WriteString("</Queues><NextMarker/></EnumerationResults>")
	return (&reply{status: http.StatusOK, body: out.Bytes(), rows: rows}).set("Content-Type", "application/xml")
}

// Messages are the texts of a queue's messages, hidden ones included, in the order
// in which they are or become visible.
func (a *Account) Messages(name string) (texts []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queues[name]
	if q == nil {
		return nil
	}
	rest := make(byVisibility, 0, len(q.order))
	for _, m := range q.order {
		copied := *m
		rest = append(rest, &copied)
	}
	for len(rest) > 0 {
		if m := heap.Pop(&rest).(*message); m.expires.After(time.Now()) {
			texts = append(texts, m.text)
		}
	}
	return texts
}

func newQueue() *queue { return &queue{messages: map[string]*message{}} }

func (a *Account) serveQueueItself(c *call, name string) *reply {
	q := a.queues[name]
	switch {
	case c.method == http.MethodPut && !c.validName(queueNames, name):
		return refuse(http.StatusBadRequest, "InvalidResourceName")
	case c.method == http.MethodPut && c.query.Get("comp") == "" && a.isLeaving("queue", name):
		return refuse(http.StatusConflict, "QueueBeingDeleted")
	case c.method == http.MethodPut && c.query.Get("comp") == "":
		if q != nil {
			return (&reply{status: http.StatusNoContent})
		}
		a.queues[name] = newQueue()
		return (&reply{status: http.StatusCreated})
	case q == nil:
		return refuse(http.StatusNotFound, "QueueNotFound")
	case c.method == http.MethodDelete:
		delete(a.queues, name)
		a.leave("queue", name, queueLeaves)
		return (&reply{status: http.StatusNoContent})
	case c.query.Get("comp") == "metadata" && c.method == http.MethodGet:
		return (&reply{status: http.StatusOK}).set("x-ms-approximate-messages-count", strconv.Itoa(len(q.messages)))
	}
	return refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb")
}

// number reads a parameter within bounds.
func number(c *call, name string, otherwise, least, most int) (int, bool) {
	text := c.query.Get(name)
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most
}

func outOfRange() *reply {
	return refuse(http.StatusBadRequest, "OutOfRangeQueryParameterValue")
}

// receipt is a new pop receipt.
func (a *Account) receipt() string {
	a.serial++
	return fmt.Sprintf("receipt+%d/==", a.serial) // characters that need escaping in an address
}

func (a *Account) putMessage(c *call, q *queue) *reply {
	text, refused := messageText(c)
	if refused != nil {
		return refused
	}
	hide, ok := number(c, "visibilitytimeout", 0, 0, int(maxVisible/time.Second))
	ttl, valid := number(c, "messagettl", int(maxVisible/time.Second), -1, 1<<31-1)
	if !ok || !valid || ttl == 0 || ttl > 0 && hide >= ttl {
		return outOfRange()
	}
	now := time.Now().UTC()
	m := &message{text: text, inserted: now, expires: never, visible: now.Add(time.Duration(hide) * time.Second), receipt: a.receipt(), serial: a.serial}
	if ttl > 0 {
		m.expires = now.Add(time.Duration(ttl) * time.Second)
	}
	m.id = fmt.Sprintf("%08x-0000-4000-8000-%012x", a.serial, a.serial)
	q.messages[m.id] = m
	heap.Push(&q.order, m)
	q.changed()
	return messageList(http.StatusCreated, []*message{m}, sent)
}

func messageText(c *call) (string, *reply) {
	var body struct {
		XMLName     xml.Name `xml:"QueueMessage"`
		MessageText string
	}
	if err := xml.Unmarshal(c.body, &body); err != nil {
		return "", refuse(http.StatusBadRequest, "InvalidXmlDocument")
	}
	if len(body.MessageText) > maxMessage {
		return "", refuse(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge")
	}
	return body.MessageText, nil
}

// receive hides the messages that it answers.
func (a *Account) receive(c *call, q *queue) *reply {
	most, ok := number(c, "numofmessages", 1, 1, 32)
	hide, valid := number(c, "visibilitytimeout", 30, 1, int(maxVisible/time.Second))
	if !ok || !valid {
		return outOfRange()
	}
	now := time.Now().UTC()
	var taken []*message
	for len(taken) < most && len(q.order) > 0 && !q.order[0].visible.After(now) {
		m := q.order[0]
		if !m.expires.After(now) {
			q.remove(m)
			continue
		}
		m.dequeued++
		m.receipt = a.receipt()
		m.visible = now.Add(time.Duration(hide) * time.Second)
		heap.Fix(&q.order, m.index)
		taken = append(taken, m)
	}
	return messageList(http.StatusOK, taken, received)
}

// peek looks at the visible messages. It is for tests, and copies the queue.
func (a *Account) peek(c *call, q *queue) *reply {
	most, ok := number(c, "numofmessages", 1, 1, 32)
	if !ok {
		return outOfRange()
	}
	now := time.Now()
	rest := make(byVisibility, 0, len(q.order))
	for _, m := range q.order {
		copied := *m
		rest = append(rest, &copied)
	}
	var seen []*message
	for len(seen) < most && len(rest) > 0 && !rest[0].visible.After(now) {
		if m := heap.Pop(&rest).(*message); m.expires.After(now) {
			seen = append(seen, m)
		}
	}
	return messageList(http.StatusOK, seen, peeked)
}

func (q *queue) remove(m *message) {
	heap.Remove(&q.order, m.index)
	delete(q.messages, m.id)
}

// held finds a message by id and pop receipt.
func (q *queue) held(c *call, id string) (*message, *reply) {
	m := q.messages[id]
	switch {
	case m == nil || !m.expires.After(time.Now()):
		return nil, refuse(http.StatusNotFound, "MessageNotFound")
	case c.query.Get("popreceipt") != m.receipt:
		return nil, refuse(http.StatusBadRequest, "PopReceiptMismatch")
	}
	return m, nil
}

// updateMessage changes the visibility, and the text: an update without a text
// leaves an empty one, but one without a body leaves it alone.
func (a *Account) updateMessage(c *call, q *queue, id string) *reply {
	hide, ok := number(c, "visibilitytimeout", 0, 0, int(maxVisible/time.Second))
	if !ok {
		return outOfRange()
	}
	m, refused := q.held(c, id)
	if refused != nil {
		return refused
	}
	if len(c.body) > 0 {
		text, refused := messageText(c)
		if refused != nil {
			return refused
		}
		m.text = text
	}
	m.receipt = a.receipt()
	m.visible = time.Now().UTC().Add(time.Duration(hide) * time.Second)
	heap.Fix(&q.order, m.index)
	q.changed()
	return (&reply{status: http.StatusNoContent, rows: 1}).set("x-ms-popreceipt", m.receipt).set("x-ms-time-next-visible", m.visible.Format(http.TimeFormat))
}

func (a *Account) deleteMessage(c *call, q *queue, id string) *reply {
	m, refused := q.held(c, id)
	if refused != nil {
		return refused
	}
	q.remove(m)
	return &reply{status: http.StatusNoContent, rows: 1}
}
