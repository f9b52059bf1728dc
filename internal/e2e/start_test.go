//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/durable-go/functions/internal/e2e/host"
)

func TestLab(t *testing.T) {
	h := runLab(t, nil)
	t.Run("GET", func(t *testing.T) { testStart(t, h, http.MethodGet, "") })
	t.Run("POST", func(t *testing.T) { testStart(t, h, http.MethodPost, `{"why":"not"}`) })
	t.Run("name without case", func(t *testing.T) {
		completes(t, h, starts(t, h, "orchestrator", "", "null"), labOutput)
	})
	t.Run("links", func(t *testing.T) { testLinks(t, h) })
	t.Run("same id again", func(t *testing.T) { testSameID(t, h) })
	t.Run("many starts", func(t *testing.T) { testManyStarts(t, h) })
	t.Run("bad input", func(t *testing.T) { testBadInput(t, h) })
}

// testStart is the lab: start, follow, read the output.
func testStart(t *testing.T, h *host.Host, method, input string) {
	reply, err := h.Do(bounded(t), method, "/api/orchestrators/Orchestrator", []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	if reply.Code != http.StatusAccepted || reply.Header.Get("Retry-After") != "10" {
		t.Fatalf("start: %d, Retry-After %q: %s", reply.Code, reply.Header.Get("Retry-After"), reply.Body)
	}
	payload := decode[map[string]string](t, reply.Body)
	for _, member := range []string{"id", "statusQueryGetUri", "sendEventPostUri", "terminatePostUri", "purgeHistoryDeleteUri"} {
		if payload[member] == "" {
			t.Errorf("the check-status payload has no %s: %s", member, reply.Body)
		}
	}
	if location := reply.Header.Get("Location"); location != payload["statusQueryGetUri"] {
		t.Errorf("Location is %s, statusQueryGetUri %s", location, payload["statusQueryGetUri"])
	}
	status := completes(t, h, payload["id"], labOutput)
	if status.Name != "Orchestrator" || status.InstanceID != payload["id"] {
		t.Errorf("status is of %s %s", status.Name, status.InstanceID)
	}
	if want := input; want != "" && string(status.Input) != want {
		t.Errorf("input is %s, want %s", status.Input, want)
	}
}

// testLinks follows the signed URL, and tries it unsigned and tampered with.
func testLinks(t *testing.T, h *host.Host) {
	ctx := bounded(t)
	links, err := h.StartNew(ctx, http.MethodGet, "Orchestrator", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	completes(t, h, links.ID, labOutput)
	unsigned, _, _ := strings.Cut(links.StatusQueryURI, "?")
	for _, c := range []struct {
		name, url string
		code      int
	}{
		{"signed", links.StatusQueryURI, http.StatusOK},
		{"another operation", strings.Replace(links.StatusQueryURI, "op=status", "op=terminate", 1), http.StatusForbidden},
		// The host resolves dots before it passes the path on.
		{"dots in the path", h.URL + "/api/durabletask-links/instances/x/%2e%2e/" + links.ID, http.StatusUnauthorized},
		{"unsigned", unsigned, http.StatusUnauthorized},
		{"of another instance", strings.Replace(links.StatusQueryURI, links.ID, "another", 1), http.StatusForbidden},
		{"tampered with", tamper(links.StatusQueryURI), http.StatusForbidden},
	} {
		reply, err := h.Do(ctx, http.MethodGet, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if reply.Code != c.code {
			t.Errorf("%s: %d, want %d: %s", c.name, reply.Code, c.code, reply.Body)
		}
	}
}

// tamper changes one character of a URL's signature.
func tamper(url string) string {
	at := strings.Index(url, "sig=") + len("sig=")
	other := byte('A')
	if url[at] == other {
		other = 'B'
	}
	return url[:at] + string(other) + url[at+1:]
}

// testSameID starts a finished instance's id again: that is a new execution.
func testSameID(t *testing.T, h *host.Host) {
	const id = "the-same-id"
	for _, input := range []string{"1", "2", "3"} {
		starts(t, h, "Orchestrator", id, input)
		if status := completes(t, h, id, labOutput); string(status.Input) != input {
			t.Errorf("the execution has input %s, want %s", status.Input, input)
		}
	}
}

const (
	manyStarts = 200
	inFlight   = 16
)

func testManyStarts(t *testing.T, h *host.Host) {
	ctx := bounded(t)
	startMany(t, func(n int) error { return startAndWait(ctx, h, h, n) })
}

// startMany calls f for each start, at most inFlight at a time.
func startMany(t *testing.T, f func(n int) error) {
	t.Helper()
	numbers := make(chan int)
	var group sync.WaitGroup
	for range inFlight {
		group.Go(func() {
			for n := range numbers {
				if err := f(n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range manyStarts {
		numbers <- n
	}
	close(numbers)
	group.Wait()
}

// startAndWait starts the lab's orchestrator through one host and asks another
// for the result.
func startAndWait(ctx context.Context, through, ask *host.Host, n int) error {
	links, err := through.StartNew(ctx, http.MethodPost, "Orchestrator", "", []byte(fmt.Sprint(n)))
	if err != nil {
		return err
	}
	status, err := ask.Wait(ctx, links.ID)
	if err != nil {
		return err
	}
	if status.RuntimeStatus != "Completed" || string(status.Output) != labOutput {
		return fmt.Errorf("instance %s: %s %s", links.ID, status.RuntimeStatus, status.Output)
	}
	return nil
}

// testBadInput: each gets a clear error.
func testBadInput(t *testing.T, h *host.Host) {
	large, _ := json.Marshal(strings.Repeat("x", 10<<20))
	for _, c := range []struct {
		name, path, body string
		code             int
		says             string
	}{
		{"unknown orchestrator", "/api/orchestrators/Nobody", "", http.StatusNotFound, "Orchestrator"},
		{"unknown orchestrator, management", "/api/durabletask/orchestrators/Nobody", "", http.StatusBadRequest, "Orchestrator"},
		{"malformed JSON", "/api/orchestrators/Orchestrator", `{"a":`, http.StatusBadRequest, "JSON"},
		{"two JSON values", "/api/orchestrators/Orchestrator", "1 2", http.StatusBadRequest, "JSON"},
		{"deep JSON", "/api/orchestrators/Orchestrator", strings.Repeat("[", 1000) + strings.Repeat("]", 1000), http.StatusBadRequest, "nested"},
		{"slash in the id", "/api/orchestrators/Orchestrator?id=a%2Fb", "", http.StatusBadRequest, "id"},
		{"too large", "/api/orchestrators/Orchestrator", string(large), http.StatusRequestEntityTooLarge, "10485760"},
		{"forbidden character", "/api/orchestrators/Orchestrator?id=a%23b", "", http.StatusBadRequest, "id"},
		{"entity's id", "/api/orchestrators/Orchestrator?id=@counter@a", "", http.StatusBadRequest, "id"},
		{"long id", "/api/orchestrators/Orchestrator?id=" + strings.Repeat("x", 257), "", http.StatusBadRequest, "256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			reply, err := h.Do(bounded(t), http.MethodPost, c.path, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if reply.Code != c.code || !strings.Contains(string(reply.Body), c.says) || !json.Valid(reply.Body) {
				t.Errorf("%d %s, want %d and JSON with %q", reply.Code, reply.Body, c.code, c.says)
			}
		})
	}
	t.Run("unknown instance", func(t *testing.T) {
		reply, err := h.Do(bounded(t), http.MethodGet, "/api/durabletask/instances/nobody", nil)
		if err != nil || reply.Code != http.StatusNotFound {
			t.Errorf("%+v %v, want 404", reply, err)
		}
	})
}
