package fake

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// snapshot is what an account holds, as JSON has it.
type snapshot struct {
	At     time.Time                       `json:"at"`
	Stamp  time.Time                       `json:"stamp"`
	Serial int64                           `json:"serial"`
	Tables map[string][]savedRow           `json:"tables"`
	Queues map[string][]savedMessage       `json:"queues"`
	Blobs  map[string]map[string]savedBlob `json:"blobs"`
}

type savedRow struct {
	Partition string        `json:"partition"`
	Key       string        `json:"key"`
	Stamp     time.Time     `json:"stamp"`
	Columns   []savedColumn `json:"columns"`
}

type savedColumn struct {
	Name  string          `json:"name"`
	EDM   string          `json:"edm,omitempty"`
	Value json.RawMessage `json:"value"`
}

type savedMessage struct {
	ID       string    `json:"id"`
	Text     string    `json:"text"`
	Inserted time.Time `json:"inserted"`
	Expires  time.Time `json:"expires"`
	Visible  time.Time `json:"visible"`
	Dequeued int       `json:"dequeued"`
	Serial   int64     `json:"serial"`
}

type savedBlob struct {
	Content []byte    `json:"content"`
	Kind    string    `json:"kind"`
	Changed time.Time `json:"changed"`
}

// Snapshot is what the account holds, as JSON for [Restore]. Pop receipts are left
// out: a process that held a message does not hold it in a restored account.
func (a *Account) Snapshot() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := snapshot{
		At: time.Now().UTC(), Stamp: a.stamp, Serial: a.serial,
		Tables: map[string][]savedRow{}, Queues: map[string][]savedMessage{}, Blobs: map[string]map[string]savedBlob{},
	}
	for _, t := range a.tables {
		s.Tables[t.name] = t.saved()
	}
	for name, q := range a.queues {
		s.Queues[name] = q.saved()
	}
	for name, c := range a.containers {
		s.Blobs[name] = map[string]savedBlob{}
		for path, b := range c.blobs {
			s.Blobs[name][path] = savedBlob{Content: b.content, Kind: b.kind, Changed: b.changed}
		}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("saving an account: %w", err)
	}
	return append(raw, '\n'), nil
}

func (t *table) saved() []savedRow {
	rows := []savedRow{}
	for _, partition := range t.ordered() {
		for _, r := range t.partitions[partition].rows {
			row := savedRow{Partition: r.partition, Key: r.key, Stamp: r.stamp}
			for _, c := range r.columns {
				row.Columns = append(row.Columns, savedColumn{Name: c.name, EDM: c.edm, Value: c.raw})
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func (q *queue) saved() []savedMessage {
	messages := []savedMessage{}
	for _, m := range q.messages {
		messages = append(messages, savedMessage{
			ID: m.id, Text: m.text, Inserted: m.inserted, Expires: m.expires, Visible: m.visible, Dequeued: m.dequeued, Serial: m.serial,
		})
	}
	slices.SortFunc(messages, func(a, b savedMessage) int { return int(a.Serial - b.Serial) })
	return messages
}

// Restore makes an account that holds what [Account.Snapshot] saved, with the latency
// of [New]. at is the time of the snapshot: until then, rows and messages are from the
// future.
func Restore(raw []byte, latency time.Duration) (a *Account, at time.Time, err error) {
	var s snapshot
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, at, fmt.Errorf("restoring an account: %w", err)
	}
	a = New(latency)
	a.stamp, a.serial = s.Stamp, s.Serial
	for name, rows := range s.Tables {
		t := &table{name: name, partitions: map[string]*partition{}}
		for _, r := range rows {
			restored := &row{partition: r.Partition, key: r.Key, stamp: r.Stamp}
			for _, c := range r.Columns {
				restored.columns = append(restored.columns, column{name: c.Name, edm: c.EDM, raw: c.Value})
			}
			t.put(restored)
		}
		a.tables[strings.ToLower(name)] = t
	}
	for name, messages := range s.Queues {
		q := newQueue()
		for _, m := range messages {
			restored := &message{
				id: m.ID, receipt: a.receipt(), text: m.Text, inserted: m.Inserted, expires: m.Expires, visible: m.Visible,
				dequeued: m.Dequeued, serial: m.Serial,
			}
			q.messages[m.ID] = restored
			heap.Push(&q.order, restored)
		}
		a.queues[name] = q
	}
	for name, blobs := range s.Blobs {
		c := &container{blobs: map[string]*blob{}}
		for path, b := range blobs {
			c.blobs[path] = &blob{content: b.Content, kind: b.Kind, changed: b.Changed}
		}
		a.containers[name] = c
	}
	return a, s.At, nil
}
