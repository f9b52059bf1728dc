package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// full is a recording with the rows as they were at its end, by instance.
type full struct {
	RecordedWith map[string]string    `json:"recordedWith"`
	IDs          map[string]string    `json:"instanceIds"`
	HTTP         []worded             `json:"http"`
	Instances    map[string]columns   `json:"instances"`
	History      map[string][]columns `json:"history"`
}

// worded is an exchange, and the answer as it was written where that is not the short form.
type worded struct {
	exchange
	BodyText string `json:"bodyText"`
}

// columns is a row. A column is a text, or has a type and a text.
type columns map[string]json.RawMessage

// answer is that to a status request about an instance that had ended, and what it was
// made from.
type answer struct {
	Scenario string            `json:"scenario"`
	Query    string            `json:"query"`
	ID       string            `json:"id"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"`
	Row      map[string]any    `json:"row"`
	Rows     []map[string]any  `json:"rows,omitempty"`
	Body     json.RawMessage   `json:"body"`
}

// answersWithRows writes recorded.json, of statuses, and histories.json, of those that
// show a history.
func answersWithRows(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "scenarios", "*.json"))
	if err != nil {
		return err
	}
	var statuses, histories []answer
	for _, file := range files {
		all, err := answersOf(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, a := range all {
			if a.Rows == nil {
				statuses = append(statuses, a)
			} else {
				histories = append(histories, a)
			}
		}
	}
	for name, all := range map[string][]answer{"recorded.json": statuses, "histories.json": histories} {
		raw, err := json.MarshalIndent(all, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), append(raw, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var statusPath = regexp.MustCompile(`^/runtime/webhooks/durabletask/instances/(\{[a-z]+\d+\}[^/?]*)(?:\?(.*))?$`)

// inexact is a scenario whose numbers the recorder has rounded.
const inexact = "input_bignum"

// longest is how long an answer may be that is kept.
const longest = 8 << 10

// answersOf are the answers of a scenario whose rows are still those that they were made
// from: the instance had ended, and no request about it followed but reads.
func answersOf(file string) (all []answer, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r full
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	scenario := strings.TrimSuffix(filepath.Base(file), ".json")
	if r.RecordedWith == nil || scenario == inexact {
		return nil, nil // of an older release, or not as it was written
	}
	seen := map[string]bool{}
	for i, e := range r.HTTP {
		path := statusPath.FindStringSubmatch(e.Path)
		if path == nil || e.Method != "GET" || e.Status != 200 && e.Status != 500 || len(e.BodyJSON) > longest || r.changes(path[1], i+1) {
			continue
		}
		a := answer{Scenario: scenario, Query: path[2], ID: path[1], Status: e.Status, Headers: map[string]string{"content-type": e.Headers["content-type"]}, Body: e.BodyJSON}
		if json.Valid([]byte(e.BodyText)) {
			a.Body = json.RawMessage(e.BodyText)
		}
		ok, err := r.fill(&a)
		if err != nil {
			return nil, err
		}
		if key := a.ID + "?" + a.Query; ok && !seen[key] {
			seen[key] = true
			all = append(all, a)
		}
	}
	return all, nil
}

// changes reports whether a request from the n-th on writes the instance.
func (r *full) changes(id string, n int) bool {
	for _, e := range r.HTTP[n:] {
		if e.Method != "GET" && strings.Contains(e.Path, id) {
			return true
		}
	}
	return false
}

// fill adds the rows. It reports false for an answer that has none, or whose texts are
// in blobs.
func (r *full) fill(a *answer) (bool, error) {
	id := a.ID
	for name, value := range r.IDs {
		id = strings.ReplaceAll(id, "{"+name+"}", value)
	}
	row, known := r.Instances[id]
	if !known || row["InputBlobName"] != nil || row["OutputBlobName"] != nil {
		return false, nil
	}
	var body struct{ HistoryEvents json.RawMessage }
	if err := json.Unmarshal(a.Body, &body); err != nil {
		return false, err
	}
	var err error
	if a.Row, err = r.entity(row); err != nil {
		return false, err
	}
	if body.HistoryEvents == nil {
		return true, nil
	}
	for _, row := range r.History[id] {
		if string(row["rowKey"]) == `"sentinel"` {
			continue
		}
		entity, err := r.entity(row)
		if err != nil {
			return false, err
		}
		a.Rows = append(a.Rows, entity)
	}
	return a.Rows != nil, nil
}

// entity is a row as the service gives it, with what stands for ids.
func (r *full) entity(row columns) (map[string]any, error) {
	out := map[string]any{}
	for name, raw := range row {
		var column struct{ Type, Value string }
		switch {
		case name == "partitionKey" || name == "rowKey":
			if err := json.Unmarshal(raw, &column.Value); err != nil {
				return nil, err
			}
			name = strings.ToUpper(name[:1]) + name[1:]
		case !bytes.HasPrefix(raw, []byte("{")):
			continue // of the service
		default:
			if err := json.Unmarshal(raw, &column); err != nil {
				return nil, err
			}
		}
		value, err := r.typed(column.Type, column.Value)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		out[name] = value
	}
	return out, nil
}

func (r *full) typed(kind, text string) (any, error) {
	switch kind {
	case "Int32":
		return strconv.Atoi(text)
	case "Boolean":
		return strconv.ParseBool(text)
	}
	for name, id := range r.IDs {
		if strings.HasPrefix(id, "@") {
			continue // an entity, which the answers show by its key
		}
		text = strings.NewReplacer(id, "{"+name+"}", url.QueryEscape(id), "{"+name+"}").Replace(text)
	}
	return text, nil
}
