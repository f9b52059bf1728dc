//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
)

// recordedRoutes is what the host does with templates and paths: see package
// handler/route.
type recordedRoutes struct {
	Paths  [][2]*string
	Single []struct {
		Template string
		Names    []string
		Matches  [][]any
	}
	Pairs []struct {
		Templates [2]string
		Chosen    string
	}
}

// httpFunction writes the folder of an HTTP function.
func httpFunction(t *testing.T, dir, name, route, level string) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"bindings": []map[string]any{
		{"type": "httpTrigger", "direction": "in", "name": "req", "authLevel": level, "route": route},
		{"type": "http", "direction": "out", "name": "res"},
	}})
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

// runRoutes runs the functions in a folder on the host.
func runRoutes(t *testing.T, functions string, o host.Options) *host.Host {
	t.Helper()
	host.NeedFunc(t)
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Rel(root, functions)
	if err != nil {
		t.Fatal(err)
	}
	o.Main, o.Folders = "./internal/e2e/routeapp", []string{folder}
	o.Storage, o.Hub = azuritetest.Server(t).ConnectionString(), azuritetest.HubName()
	return host.Run(t, o)
}

// line is one connection to the host that sends paths as they are: a library
// would encode them.
type line struct {
	t       *testing.T
	address string
	conn    net.Conn
	reader  *bufio.Reader
}

// ask sends a request without a body.
func (l *line) ask(method, path string, header ...string) (int, string, http.Header) {
	if l.conn == nil {
		conn, err := net.Dial("tcp", l.address)
		if err != nil {
			l.t.Error(err)
			return 0, "", nil
		}
		l.conn, l.reader = conn, bufio.NewReader(conn)
	}
	text := method + " " + path + " HTTP/1.1\r\nContent-Length: 0\r\n"
	named := false
	for i := 0; i+1 < len(header); i += 2 {
		text += header[i] + ": " + header[i+1] + "\r\n"
		named = named || header[i] == "Host"
	}
	if !named {
		text += "Host: " + l.address + "\r\n"
	}
	_, err := io.WriteString(l.conn, text+"\r\n")
	var response *http.Response
	if err == nil {
		response, err = http.ReadResponse(l.reader, nil)
	}
	if err != nil {
		l.t.Errorf("%s %s: %v", method, path, err)
		l.close()
		return 0, "", nil
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.Close {
		l.close()
	}
	return response.StatusCode, string(body), response.Header
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// routeCase is one request, with the function that the host gives it to, empty
// for none, and the values of its route.
type routeCase struct {
	path, function string
	values         map[string]string
}

func routeCases(t *testing.T, functions string) (cases []routeCase) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "handler", "route", "testdata", "routes.json"))
	if err != nil {
		t.Fatal(err)
	}
	r := decode[recordedRoutes](t, raw)
	url := func(prefix, path string) string {
		if path != "" && path[0] != '?' {
			path = "/" + path
		}
		return "/api/" + prefix + path
	}
	for n, s := range r.Single {
		httpFunction(t, functions, fmt.Sprintf("T%d", n), fmt.Sprintf("t%d/%s", n, s.Template), []string{"anonymous", "function"}[n%2])
		matches := map[int]map[string]string{}
		for _, m := range s.Matches {
			values := map[string]string{}
			for k, name := range s.Names {
				if text, ok := m[k+1].(string); ok && text != "" {
					values[name] = text
				}
			}
			matches[int(m[0].(float64))] = values
		}
		for i, p := range r.Paths {
			c := routeCase{path: url(fmt.Sprintf("t%d", n), *p[0])}
			if values, ok := matches[i]; ok {
				c.function, c.values = fmt.Sprintf("T%d", n), values
			}
			cases = append(cases, c)
		}
	}
	for n, p := range r.Pairs {
		for k, name := range []string{"A", "B"} {
			httpFunction(t, functions, fmt.Sprintf("P%d%s", n, name), fmt.Sprintf("p%d/%s", n, p.Templates[k]), []string{"anonymous", "function"}[(n+k)%2])
		}
		for i, path := range r.Paths {
			c := routeCase{path: url(fmt.Sprintf("p%d", n), *path[0])}
			if chosen := p.Chosen[i : i+1]; chosen != "-" {
				c.function = fmt.Sprintf("P%d%s", n, chosen)
			}
			cases = append(cases, c)
		}
	}
	return cases
}

// The handler comes to the function that the host has chosen, on every recorded
// path, and no function with a key runs without it.
func TestRoutesOnTheHost(t *testing.T) {
	functions := t.TempDir()
	cases := routeCases(t, functions)
	id := strings.ToLower("host-" + azuritetest.HubName())
	h := runRoutes(t, functions, host.Options{Args: []string{"--enableAuth"}, Env: []string{"AzureFunctionsWebHost__hostid=" + id}})
	key := functionKey(t, h, id)
	next := make(chan routeCase)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			l := &line{t: t, address: strings.TrimPrefix(h.URL, "http://")}
			defer l.close()
			for c := range next {
				checkRoute(l, c, key)
			}
		})
	}
	for _, c := range cases {
		next <- c
	}
	close(next)
	group.Wait()
	t.Logf("%d paths", len(cases))
}

// checkRoute asks with the key and without it.
func checkRoute(l *line, c routeCase, key string) {
	code, body, _ := l.ask(http.MethodGet, c.path, "X-Functions-Key", key)
	var answer struct {
		Function string
		Values   map[string]string
	}
	if code == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			l.t.Errorf("%s: %s", c.path, body)
		}
	}
	if code >= 500 || answer.Function != c.function || c.values != nil && fmt.Sprint(answer.Values) != fmt.Sprint(c.values) {
		l.t.Errorf("%s: %d %s %v, want %s %v", c.path, code, answer.Function, answer.Values, c.function, c.values)
	}
	// Half of the functions are anonymous: the number of a T, or of a P and its
	// letter, says which.
	var n int
	letter := ""
	if _, err := fmt.Sscanf(c.function, "P%d%s", &n, &letter); err != nil {
		_, _ = fmt.Sscanf(c.function, "T%d", &n)
	}
	if letter == "B" {
		n++
	}
	if c.function == "" || n%2 == 0 {
		return
	}
	if code, body, _ := l.ask(http.MethodGet, c.path); code != http.StatusUnauthorized {
		l.t.Errorf("%s without a key: %d %s", c.path, code, body)
	}
}
