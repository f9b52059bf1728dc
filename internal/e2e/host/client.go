//go:build linux

package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Links is the official check-status payload, as far as tests need it.
type Links struct {
	ID             string `json:"id"`
	StatusQueryURI string `json:"statusQueryGetUri"`
}

// Status is the official status payload.
type Status struct {
	Name          string          `json:"name"`
	InstanceID    string          `json:"instanceId"`
	RuntimeStatus string          `json:"runtimeStatus"`
	Input         json.RawMessage `json:"input"`
	Output        json.RawMessage `json:"output"`
	CreatedTime   time.Time       `json:"createdTime"`
}

// Reply is an HTTP answer that was read.
type Reply struct {
	Code   int
	Header http.Header
	Body   []byte
}

// Do sends one request to a path of the host, or to a whole URL, and does not
// try again. Safe for concurrent use.
func (h *Host) Do(ctx context.Context, method, url string, body []byte, header ...string) (*Reply, error) {
	if url[0] == '/' {
		url = h.URL + url
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	return &Reply{Code: response.StatusCode, Header: response.Header, Body: raw}, err
}

// StartNew starts an orchestrator through HttpStart. query may be empty. Safe
// for concurrent use.
func (h *Host) StartNew(ctx context.Context, method, orchestrator, query string, body []byte) (*Links, error) {
	path := "/api/orchestrators/" + orchestrator
	if query != "" {
		path += "?" + query
	}
	reply, err := h.Do(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	if reply.Code != http.StatusAccepted {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, reply.Code, reply.Body)
	}
	links := &Links{}
	if err := json.Unmarshal(reply.Body, links); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", method, path, err, reply.Body)
	}
	return links, nil
}

// Wait polls an instance until it has finished, through errors too: the handler
// may be about to come back. Safe for concurrent use.
func (h *Host) Wait(ctx context.Context, id string) (*Status, error) {
	var last string
	for {
		reply, err := h.Do(ctx, http.MethodGet, "/api/durabletask/instances/"+id+"?showInput=true", nil, "Prefer", "wait=2")
		switch {
		case err != nil:
			last = err.Error()
		case reply.Code == http.StatusOK:
			status := &Status{}
			if err := json.Unmarshal(reply.Body, status); err != nil {
				return nil, fmt.Errorf("status of %s: %w: %s", id, err, reply.Body)
			}
			return status, nil
		default:
			last = fmt.Sprintf("%d %s", reply.Code, reply.Body)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("instance %s has not finished; last answer: %s", id, last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
