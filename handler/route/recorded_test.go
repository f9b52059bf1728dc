package route

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// recorded is testdata/routes.json: what the Functions host 4.1045.200 did with
// 66 templates and 35 pairs of them on each path, under the prefix api/tN or
// api/pN. It was measured with a handler that returned what it was asked.
type recorded struct {
	// Paths are what a client sends behind the prefix, and what arrives at a
	// handler then; null: the host answers itself.
	Paths [][2]*string
	// Single has for each template the paths that fit, by number, with the values
	// of the named parameters; null: absent.
	Single []struct {
		Template string
		Names    []string
		Matches  [][]any
	}
	// Pairs are two functions A and B of one app: which one got each path.
	Pairs []struct {
		Templates [2]string
		Chosen    string
	}
	// Invalid are templates that keep the host from starting; Odd are strange ones
	// that do not, with the codes of its answers.
	Invalid []string
	Odd     []struct {
		Template string
		Answers  map[string]int
	}
}

func load(t *testing.T) (r recorded) {
	t.Helper()
	raw, err := os.ReadFile("testdata/routes.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func parse(t *testing.T, text string) *Template {
	t.Helper()
	template, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// behind makes a path of a prefix and what a client sends behind it.
func behind(prefix, text string) string {
	text, _, _ = strings.Cut(text, "?")
	if text == "" {
		return prefix
	}
	return prefix + "/" + text
}

// forms are the ways in which a path reaches the router: from the host, where it
// passes the path on, and from a caller.
func (r *recorded) forms(i int, prefix string) (out []string) {
	// A number sign is no part of a path that a client's library sends.
	out = append(out, behind(prefix, *r.Paths[i][0]))
	if seen := r.Paths[i][1]; seen != nil {
		arrived, _, _ := strings.Cut(prefix+*seen, "?")
		out = append(out, arrived)
	}
	return out
}

func TestTemplatesAsRecorded(t *testing.T) {
	r, checked := load(t), 0
	for n, s := range r.Single {
		prefix := fmt.Sprintf("/api/t%d", n)
		template := parse(t, prefix[1:]+"/"+s.Template)
		want := map[int]string{}
		for _, m := range s.Matches {
			values := Values{}
			for k, name := range s.Names {
				if text, ok := m[k+1].(string); ok {
					values[name] = text
				}
			}
			want[int(m[0].(float64))] = fmt.Sprint(values)
		}
		for i := range r.Paths {
			for _, escaped := range r.forms(i, prefix) {
				got := "none"
				path, ok := Path(escaped)
				if values, fit := template.Match(path); ok && fit == Yes {
					got = fmt.Sprint(values)
				}
				expected, fits := want[i]
				if !fits {
					expected = "none"
				}
				if checked++; got != expected {
					t.Errorf("%s on %q: %s, the host %s", s.Template, escaped, got, expected)
				}
			}
		}
	}
	t.Logf("%d templates, %d checks", len(r.Single), checked)
}

func TestPairsAsRecorded(t *testing.T) {
	r, checked := load(t), 0
	for n, p := range r.Pairs {
		prefix := fmt.Sprintf("/api/p%d", n)
		table := &Table{}
		for i, name := range []string{"B", "A"} {
			table.Add(Entry{Function: name, Template: parse(t, prefix[1:]+"/"+p.Templates[1-i]), Methods: []string{"get"}})
		}
		for i := range r.Paths {
			for _, escaped := range r.forms(i, prefix) {
				got := "-"
				path, ok := Path(escaped)
				if function, _, fit := table.Find("GET", path); ok && fit == Yes {
					got = function
				}
				if checked++; got != p.Chosen[i:i+1] {
					t.Errorf("%v on %q: %s, the host %c", p.Templates, escaped, got, p.Chosen[i])
				}
			}
		}
	}
	t.Logf("%d pairs, %d checks", len(r.Pairs), checked)
}

func TestTemplatesThatStopTheHost(t *testing.T) {
	for _, text := range load(t).Invalid {
		if _, err := Parse("api/" + text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestOddTemplates(t *testing.T) {
	for _, o := range load(t).Odd {
		template := parse(t, "api/"+o.Template)
		for text, code := range o.Answers {
			path, _ := Path(behind("/api", text))
			_, fit := template.Match(path)
			if want := map[int]Fit{200: Yes, 404: No, 500: Unsure}[code]; fit != want {
				t.Errorf("%s on %q: %v, the host answers %d", o.Template, text, fit, code)
			}
		}
	}
}
