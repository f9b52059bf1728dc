//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/e2e/host"
)

// standaloneApp runs the route app without a Functions host, with its hub in
// memory, and returns its address and what ends when it does.
func standaloneApp(t *testing.T) (address string, cmd *exec.Cmd, logs *bytes.Buffer, ended chan error) {
	t.Helper()
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := attackedApp(t)
	for _, name := range []string{"DurableTask", "DurableTaskLinks", "HttpStart"} {
		raw, err := os.ReadFile(filepath.Join(root, name, "function.json"))
		if err == nil {
			err = os.MkdirAll(filepath.Join(dir, name), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name, "function.json"), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "host.json"), []byte(`{"version": "2.0", "extensions": {"durableTask": {"hubName": "Mutants"}}, "customHandler": {"enableProxyingHttpRequest": true}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "bin", "handler")
	if err := host.Build(root, "./internal/e2e/routeapp", binary); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	_ = l.Close()
	cmd = exec.CommandContext(t.Context(), binary)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DURABLE_STANDALONE="+address, "FUNCTIONS_APP_ROOT_PATH="+dir, "AzureWebJobsStorage=memory", "FUNCTIONS_CUSTOMHANDLER_PORT=", "TaskHub=")
	logs = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = logs, logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	eventually(t, "the app answers", func() bool {
		response, err := http.Get("http://" + address + "/")
		if err != nil {
			return false
		}
		return response.Body.Close() == nil
	})
	return address, cmd, logs, ended
}

// validRequests are what a client sends, for an instance that waits.
func validRequests(t *testing.T, address string) (out [][]byte) {
	t.Helper()
	response, err := http.Post("http://"+address+"/api/orchestrators/Orchestrator", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var links map[string]string
	if err := json.NewDecoder(response.Body).Decode(&links); err != nil {
		t.Fatal(err)
	}
	id := links["id"]
	body := `{"name": "x", "list": [1, 2.5e3, null, true, "\u00e9"]}`
	add := func(method, path, body string) {
		path = strings.TrimPrefix(path, "http://"+address)
		out = append(out, fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nPrefer: wait=0\r\nX-Functions-Key: k\r\nContent-Length: %d\r\n\r\n%s", method, path, address, len(body), body))
	}
	const door = "/api/durabletask/"
	add("GET", door+"instances?runtimeStatus=Running&top=3&createdTimeFrom=2024-01-01T00:00:00Z&showInput=false", "")
	add("GET", door+"instances/"+id+"?showHistory=true&showHistoryOutput=true", "")
	add("POST", door+"orchestrators/Orchestrator?timeout=0&pollingInterval=0", body)
	add("POST", door+"orchestrators/Orchestrator/mutant", body)
	add("POST", door+"instances/"+id+"/raiseEvent/Other", body)
	add("POST", door+"instances/nobody/terminate?reason=x&recursive=true", "")
	add("POST", door+"instances/"+id+"/suspend?reason=x", "")
	add("POST", door+"instances/"+id+"/resume?reason=x", "")
	add("POST", door+"instances/"+id+"/rewind?reason=x", "")
	add("POST", door+"instances/"+id+"/restart?restartWithNewInstanceId=true", "")
	add("DELETE", door+"instances?createdTimeFrom=2001-01-01&createdTimeTo=2001-01-02", "")
	for name, uri := range links {
		switch {
		case name == "id" || name == "terminatePostUri":
		case strings.HasPrefix(name, "purge"):
			add("DELETE", uri, "")
		case name == "statusQueryGetUri":
			add("GET", uri, "")
		default:
			add("POST", strings.NewReplacer("{eventName}", "E", "{text}", "t").Replace(uri), body)
		}
	}
	add("GET", "/api/items/12345678-1234-1234-1234-123456789abc", "")
	add("GET", "/api/num/5", "")
	return out
}

// pieces are what mutations put in.
var pieces = []string{
	"\x00", "\xff", "\r\n", "\n", "%", "%00", "%2F", "%2e%2e", "/", "//", "?", "&", "=", ";", "#", "\\", "{", "}", "[", "]", `"`, ",", ":", "-", "0", "99999999999999999999", "1e999", "NaN",
	"null", "true", "é", "\xc3", "\u212a", "𝒳", "../", "@", "$", "'", "<script>", strings.Repeat("A", 5000), strings.Repeat("[", 3000), "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n",
	"Expect: 100-continue\r\n", "X-Azure-Functions-InvocationId: i\r\n", "X-Forwarded-Host: evil.example\r\n", "Connection: close\r\n", "If-None-Match: *\r\n", "X-Ms-Continuation-Token: AAAA\r\n", "0001-01-01", "9999-12-31T23:59:59.9999999Z", "sig=", "op=status", "code=",
}

func mutate(r *rand.Rand, valid []byte) []byte {
	out := bytes.Clone(valid)
	for range 1 + r.IntN(4) {
		if len(out) == 0 {
			break
		}
		at := r.IntN(len(out))
		end := min(len(out), at+1+r.IntN(20))
		switch r.IntN(5) {
		case 0:
			out[at] ^= 1 << r.IntN(8)
		case 1:
			out = append(out[:at:at], out[end:]...)
		case 2:
			out = append(out[:at:at], append([]byte(pieces[r.IntN(len(pieces))]), out[at:]...)...)
		case 3:
			out = append(out[:at:at], append([]byte(pieces[r.IntN(len(pieces))]), out[end:]...)...)
		case 4:
			out = append(out[:end:end], append(bytes.Clone(out[at:end]), out[end:]...)...)
		}
	}
	return out
}

// sendRaw sends bytes, and returns the status of the answer; 0 for none.
func sendRaw(ctx context.Context, address string, raw []byte) (int, string) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = conn.Write(raw)
	// A request that is cut is not waited for.
	_ = conn.(*net.TCPConn).CloseWrite()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// Requests that were valid once do not shake the process, whatever has become of
// them.
func TestMutatedRequests(t *testing.T) {
	const requests = 15_000
	address, cmd, logs, ended := standaloneApp(t)
	valid := validRequests(t, address)
	var mu sync.Mutex // guards codes
	codes := map[int]int{}
	work := make(chan uint64)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for seed := range work {
				r := rand.New(rand.NewPCG(seed, 13)) // #nosec G404 -- the same requests each time
				raw := mutate(r, valid[r.IntN(len(valid))])
				code, text := sendRaw(t.Context(), address, raw)
				// net/http itself answers 501 and 505 to what is not HTTP.
				if code >= 500 && code != http.StatusNotImplemented && code != http.StatusHTTPVersionNotSupported {
					t.Errorf("seed %d: %d %.200s to %.300q", seed, code, text, raw)
				}
				mu.Lock()
				codes[code]++
				mu.Unlock()
			}
		})
	}
	for seed := range uint64(requests) {
		work <- seed
	}
	close(work)
	group.Wait()
	t.Logf("answers by status: %v", codes)
	if codes[http.StatusOK]+codes[http.StatusAccepted] == 0 || codes[http.StatusBadRequest] == 0 {
		t.Error("the requests did not reach anything")
	}
	select {
	case err := <-ended:
		t.Fatalf("the process has ended: %v\n%s", err, logs)
	default:
	}
	if code, text := sendRaw(t.Context(), address, valid[0]); code != http.StatusOK {
		t.Errorf("a valid request afterwards: %d %s", code, text)
	}
	_ = cmd.Process.Kill()
	if err := <-ended; err == nil {
		t.Error("a process that was killed ended well")
	}
	if text := logs.String(); strings.Contains(text, "panic") || strings.Contains(text, "goroutine ") {
		t.Errorf("logged: %.3000s", text)
	}
}
