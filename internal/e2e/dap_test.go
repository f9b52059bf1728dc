//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"testing"
	"time"
)

// dap is a client of the Debug Adapter Protocol
// (microsoft.github.io/debug-adapter-protocol), as an editor is one. It is used
// by one goroutine.
type dap struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	seq  int
	// stops are stopped events that came while an answer was waited for.
	stops []dapMessage
}

type dapMessage struct {
	Type      string          `json:"type"`
	Event     string          `json:"event"`
	Command   string          `json:"command"`
	RequestID int             `json:"request_seq"`
	Success   bool            `json:"success"`
	Message   string          `json:"message"`
	Body      json.RawMessage `json:"body"`
}

func dialDAP(t *testing.T, port int) *dap {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &dap{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// send sends a request and returns its number.
func (d *dap) send(command string, arguments any) int {
	d.t.Helper()
	d.seq++
	raw, err := json.Marshal(map[string]any{"seq": d.seq, "type": "request", "command": command, "arguments": arguments})
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(d.conn, "Content-Length: %d\r\n\r\n%s", len(raw), raw); err != nil {
		d.t.Fatalf("%s: %v", command, err)
	}
	return d.seq
}

// read returns the next message.
func (d *dap) read() dapMessage {
	d.t.Helper()
	header, err := textproto.NewReader(d.in).ReadMIMEHeader()
	if err != nil {
		d.t.Fatalf("reading from the debugger: %v", err)
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		d.t.Fatalf("message of the debugger: %v", err)
	}
	raw := make([]byte, length)
	if _, err := io.ReadFull(d.in, raw); err != nil {
		d.t.Fatalf("reading from the debugger: %v", err)
	}
	return decode[dapMessage](d.t, raw)
}

// answer reads the answer to a request.
func (d *dap) answer(request int) json.RawMessage {
	d.t.Helper()
	for {
		m := d.read()
		switch {
		case m.Type == "event" && m.Event == "stopped":
			d.stops = append(d.stops, m)
		case m.Type == "response" && m.RequestID == request:
			if !m.Success {
				d.t.Fatalf("%s: %s %s", m.Command, m.Message, m.Body)
			}
			return m.Body
		}
	}
}

func (d *dap) request(command string, arguments any) json.RawMessage {
	d.t.Helper()
	return d.answer(d.send(command, arguments))
}

// attach begins a session, with breakpoints at a line of each file.
func (d *dap) attach(lines map[string]int) {
	d.t.Helper()
	d.request("initialize", map[string]any{"adapterID": "go", "pathFormat": "path", "linesStartAt1": true, "columnsStartAt1": true})
	attach := d.send("attach", map[string]any{"mode": "remote", "stopOnEntry": false})
	for m := d.read(); m.Event != "initialized"; m = d.read() {
		if m.Type == "response" && !m.Success {
			d.t.Fatalf("attach: %s %s", m.Message, m.Body)
		}
	}
	for file, line := range lines {
		body := d.request("setBreakpoints", map[string]any{
			"source": map[string]any{"path": file}, "breakpoints": []any{map[string]any{"line": line}},
		})
		set := decode[struct {
			Breakpoints []struct {
				Verified bool
				Message  string
			}
		}](d.t, body)
		if len(set.Breakpoints) != 1 || !set.Breakpoints[0].Verified {
			d.t.Fatalf("breakpoint in %s: %s", file, body)
		}
	}
	done := d.send("configurationDone", nil)
	d.answer(done)
	_ = attach // its answer may come before or after that
}

// next waits until the program stops at a breakpoint and returns the file, and
// how to go on.
func (d *dap) next() (file string, resume func()) {
	d.t.Helper()
	for len(d.stops) == 0 {
		if m := d.read(); m.Event == "stopped" {
			d.stops = append(d.stops, m)
		}
	}
	stop := decode[struct {
		Reason   string
		ThreadID int
	}](d.t, d.stops[0].Body)
	d.stops = d.stops[1:]
	if stop.Reason != "breakpoint" {
		d.t.Fatalf("stopped because of %s", stop.Reason)
	}
	stack := decode[struct {
		StackFrames []struct {
			Source struct{ Path string }
		}
	}](d.t, d.request("stackTrace", map[string]any{"threadId": stop.ThreadID, "levels": 1}))
	if len(stack.StackFrames) == 0 {
		d.t.Fatal("stopped without a stack")
	}
	return stack.StackFrames[0].Source.Path, func() { d.request("continue", map[string]any{"threadId": stop.ThreadID}) }
}
