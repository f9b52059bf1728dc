//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// attack is a request that must not do more than its answer says.
type attack struct {
	name, method, path string
	header             []string
	body               int
	// open and keyed are the wanted status codes without keys on the host, and with
	// them (--enableAuth).
	open, keyed int
	// never is what no part of the answer has.
	never string
	// says is what the body has, where the code is that of open.
	says string
}

// attacks are what was found in a review, and its like. {link}, {terminate} and
// {restart} stand for links of an instance that runs, {key} for a function key.
var attacks = []attack{
	// An anonymous catch-all beside keyed functions: the host chooses, the handler follows.
	{name: "keyed", method: "GET", path: "/api/secret/x", open: 200, keyed: 401, says: `"Secret"`},
	{name: "two slashes", method: "GET", path: "/api/secret/x//", open: 200, keyed: 200, never: `"Secret"`},
	{name: "two slashes inside", method: "GET", path: "/api/secret//x", open: 200, keyed: 200, never: `"Secret"`},
	{name: "a slash", method: "GET", path: "/api/secret/x/", open: 200, keyed: 401},
	{name: "long s", method: "GET", path: "/api/%C5%BFecret/x", open: 200, keyed: 200, never: `"Secret"`},
	{name: "Kelvin", method: "GET", path: "/api/%E2%84%AAeyed/x", open: 200, keyed: 200, never: `"Keyed"`},
	{name: "capitals", method: "GET", path: "/api/SECRET/x", open: 200, keyed: 401},
	{name: "escaped letters", method: "GET", path: "/api/%73ecret/x", open: 200, keyed: 401},
	{name: "dots", method: "GET", path: "/api/open/../secret/x", open: 200, keyed: 401},
	{name: "escaped dots", method: "GET", path: "/api/open/%2e%2e/secret/x", open: 200, keyed: 401},
	{name: "twice escaped dots", method: "GET", path: "/api/secret/%252e%252e/x", open: 200, keyed: 200, never: `"Secret"`},
	{name: "an escaped slash", method: "GET", path: "/api/secret%2Fx", open: 200, keyed: 200, never: `"Secret"`},
	{name: "a backslash", method: "GET", path: `/api/secret\x`, open: 200, keyed: 200, never: `"Secret"`},
	{name: "a guid of another function", method: "GET", path: "/api/items/12345678-1234-1234-1234-123456789abc", open: 200, keyed: 200, never: `"ItemsById"`},
	{name: "a number that is none", method: "GET", path: "/api/num/5000000000", open: 200, keyed: 200, never: `"Num"`},
	{name: "a number", method: "GET", path: "/api/num/+5", open: 200, keyed: 401},
	{name: "another verb", method: "BREW", path: "/api/secret/x", open: 200, keyed: 401},
	{name: "a NUL", method: "GET", path: "/api/secret/x%00", open: 400, keyed: 400},
	{name: "the name of a queue function", method: "POST", path: "/Hello", open: 404, keyed: 404},
	// Keys and signatures.
	{name: "operators", method: "GET", path: "/api/durabletask/instances", open: 200, keyed: 401},
	{name: "operators, odd path", method: "GET", path: "/api/durabletask//instances", open: 200, keyed: 200, says: `"Zone"`},
	{name: "operators through links", method: "GET", path: "/api/durabletask-links/instances", open: 404, keyed: 404},
	{name: "no signature", method: "GET", path: "/api/durabletask-links/instances/i", open: 401, keyed: 401},
	{name: "a key for a signature", method: "GET", path: "/api/durabletask-links/instances/i?code={key}", open: 401, keyed: 401},
	{name: "a link", method: "GET", path: "{link}", open: 202, keyed: 202},
	{name: "a link in capitals", method: "GET", path: "{LINK}", open: 202, keyed: 202},
	{name: "a link for reading used to end", method: "POST", path: "{link/terminate}", open: 403, keyed: 403},
	{name: "steps in an id", method: "POST", path: "/api/durabletask/orchestrators/Orchestrator/%2E%2E?code={key}", open: 404, keyed: 404},
	// Hosts.
	{name: "a foreign host", method: "POST", path: "/api/orchestrators/Orchestrator?code={key}", header: []string{"Host", "evil.example"}, open: 202, keyed: 202, never: "evil.example", says: "localhost"},
	{name: "a forwarded host", method: "POST", path: "/api/orchestrators/Orchestrator?code={key}", header: []string{"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https"}, open: 202, keyed: 202, never: "evil.example"},
	{name: "a host that is none", method: "POST", path: "/api/orchestrators/Orchestrator?code={key}", header: []string{"Host", "-x"}, open: 400, keyed: 400},
	{name: "a key in a Location", method: "GET", path: "{operators}?code={key}", open: 202, keyed: 202, never: "{key}"},
	{name: "a forged invocation", method: "POST", path: "/api/orchestrators/Orchestrator?code={key}", header: []string{"X-Azure-Functions-InvocationId", "forged"}, open: 202, keyed: 202},
	// Pages of other sites.
	{name: "cross-site", method: "POST", path: "/api/durabletask/instances/nobody/terminate", header: []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, open: 403, keyed: 401},
	{name: "cross-site, with a key in the URL", method: "POST", path: "/api/durabletask/instances/nobody/terminate?code={key}", header: []string{"Origin", "https://evil.example"}, open: 403, keyed: 403},
	{name: "the same site", method: "POST", path: "/api/durabletask/instances/nobody/terminate?code={key}", header: []string{"Sec-Fetch-Site", "same-origin"}, open: 404, keyed: 404},
	// Large bodies get their answers.
	{name: "a large body without a signature", method: "POST", path: "/api/durabletask-links/instances/i/raiseEvent/Go", body: 20 << 20, open: 401, keyed: 401},
	{name: "a large body to nothing", method: "POST", path: "/api/durabletask/nothing?code={key}", body: 20 << 20, open: 404, keyed: 404},
	{name: "a large input", method: "POST", path: "/api/durabletask/orchestrators/Orchestrator?code={key}", body: 20 << 20, open: 413, keyed: 413},
	// A link to restart tells the new id alone; it is the last attack of all.
	{name: "restart", method: "POST", path: "{restart}&timeout=5&pollingInterval=1", open: 202, keyed: 202, says: `{"id":"`, never: "Uri"},
}

func attackedApp(t *testing.T) string {
	functions := t.TempDir()
	for _, f := range [][3]string{
		{"Secret", "secret/{id}", "function"}, {"Keyed", "keyed/{id}", "function"}, {"Items", "items/{name}", "anonymous"}, {"ItemsById", "items/{id:guid}", "function"},
		{"Num", "num/{n:int}", "function"}, {"Zone", "{*path}", "anonymous"},
	} {
		httpFunction(t, functions, f[0], f[1], f[2])
	}
	return functions
}

// What was tried against the app over HTTP, on the real host, which asks for keys
// or does not.
func TestAttacks(t *testing.T) {
	for _, auth := range []bool{false, true} {
		t.Run(map[bool]string{false: "without keys", true: "with keys"}[auth], func(t *testing.T) {
			id := strings.ToLower("host-" + azuritetest.HubName())
			o := host.Options{Env: []string{"AzureFunctionsWebHost__hostid=" + id}}
			if auth {
				o.Args = []string{"--enableAuth"}
			}
			h := runRoutes(t, attackedApp(t), o)
			key := "no-key-is-asked-for"
			if auth {
				key = functionKey(t, h, id)
			}
			replace := places(t, h, key)
			for _, a := range attacks {
				try(t, h, a, auth, replace)
			}
			if strings.Contains(h.Log(), key) {
				t.Error("host or handler has logged the function key")
			}
		})
	}
}

// places starts an instance, and gives what stands for its links and the key.
func places(t *testing.T, h *host.Host, key string) *strings.Replacer {
	t.Helper()
	reply, err := h.Do(bounded(t), http.MethodPost, "/api/orchestrators/Orchestrator", nil, "x-functions-key", key)
	if err != nil || reply.Code != http.StatusAccepted {
		t.Fatalf("%v %v", err, reply)
	}
	var links map[string]string
	if err := json.Unmarshal(reply.Body, &links); err != nil {
		t.Fatal(err)
	}
	path := func(member string) string {
		u, err := url.Parse(links[member])
		if err != nil {
			t.Fatal(err)
		}
		return u.RequestURI()
	}
	status := path("statusQueryGetUri")
	return strings.NewReplacer(
		"{key}", key, "{link}", status, "{LINK}", strings.NewReplacer("op=", "OP=", "sig=", "SIG=").Replace(status),
		"{link/terminate}", strings.Replace(status, "?", "/terminate?", 1), "{restart}", path("restartPostUri"),
		"{operators}", "/api/durabletask/instances/"+links["id"],
	)
}

func try(t *testing.T, h *host.Host, a attack, auth bool, replace *strings.Replacer) {
	t.Helper()
	want, never := a.open, replace.Replace(a.never)
	if auth {
		want = a.keyed
	}
	path := replace.Replace(a.path)
	var code int
	var body string
	var header http.Header
	if a.body > 0 {
		code, body, header = sendBody(t, h, a, path)
	} else {
		l := &line{t: t, address: strings.TrimPrefix(h.URL, "http://")}
		defer l.close()
		code, body, header = l.ask(a.method, path, a.header...)
	}
	var all bytes.Buffer
	_ = header.Write(&all)
	all.WriteString(body)
	switch {
	case code != want:
		t.Errorf("%s: %d %.200s, want %d", a.name, code, body, want)
	case never != "" && strings.Contains(all.String(), never):
		t.Errorf("%s: the answer has %q: %s", a.name, a.never, &all)
	case a.says != "" && code == a.open && !strings.Contains(body, a.says):
		t.Errorf("%s: %.300s, want %s", a.name, body, a.says)
	}
}

func sendBody(t *testing.T, h *host.Host, a attack, path string) (int, string, http.Header) {
	t.Helper()
	body := bytes.Repeat([]byte("x"), a.body)
	body[0], body[len(body)-1] = '"', '"'
	request, err := http.NewRequestWithContext(bounded(t), a.method, h.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Errorf("%s: %v", a.name, err)
		return 0, "", nil
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Errorf("%s: %v", a.name, err)
	}
	return response.StatusCode, string(raw), response.Header
}
