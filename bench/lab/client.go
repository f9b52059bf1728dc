//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// client is the caller of an app: it starts an orchestration by HTTP and
// follows the status URL of the answer, which waits for the end.
type client struct {
	url  string
	http *http.Client
}

func newClient(url string) *client {
	return &client{url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxIdleConns: 64}}}
}

// run returns how long an orchestration took, from the start request to the
// answer that has its output.
func (c *client) run(ctx context.Context, orchestrator, input, want string) (time.Duration, error) {
	began := time.Now()
	var links struct {
		StatusQueryGetURI string `json:"statusQueryGetUri"`
	}
	if code, err := c.do(ctx, http.MethodPost, c.url+"/api/orchestrators/"+orchestrator, input, &links); err != nil || code != http.StatusAccepted {
		return 0, fmt.Errorf("starting %s: status %d: %w", orchestrator, code, err)
	}
	var status struct {
		RuntimeStatus string          `json:"runtimeStatus"`
		Output        json.RawMessage `json:"output"`
	}
	for {
		code, err := c.do(ctx, http.MethodGet, links.StatusQueryGetURI, "", &status)
		switch {
		case err != nil:
			return 0, err
		case code == http.StatusAccepted:
		case code != http.StatusOK || status.RuntimeStatus != "Completed" || string(status.Output) != want:
			return 0, fmt.Errorf("%s ended with status %d, %s, output %.200s, want %s", orchestrator, code, status.RuntimeStatus, status.Output, want)
		default:
			return time.Since(began), nil
		}
	}
}

func (c *client) do(ctx context.Context, method, url, body string, to any) (code int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Prefer", "wait=20")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(raw, to)
	}
	if err != nil {
		return resp.StatusCode, fmt.Errorf("%s %s: %w: %.200s", method, url, err, raw)
	}
	return resp.StatusCode, nil
}

const labOutput = `["Hello Tokyo!","Hello Seattle!","Hello London!"]`

// chains runs n of the lab's orchestrations, so many in flight, and returns how
// long each took and how long all took.
func (c *client) chains(ctx context.Context, n, inFlight int) (each []time.Duration, all time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	each = make([]time.Duration, n)
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	began := time.Now()
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			for i := range next {
				took, err := c.run(ctx, "Orchestrator", "", labOutput)
				if err != nil {
					cancel(err)
					return
				}
				each[i] = took
			}
		})
	}
	workers.Wait()
	return each, time.Since(began), context.Cause(ctx)
}

func (c *client) fanOuts(ctx context.Context, orchestrator string, n, width int) (each []time.Duration, err error) {
	for range n {
		took, err := c.run(ctx, orchestrator, fmt.Sprint(width), fmt.Sprint(width))
		if err != nil {
			return nil, err
		}
		each = append(each, took)
	}
	return each, nil
}
