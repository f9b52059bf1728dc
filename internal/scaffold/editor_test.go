package scaffold_test

import (
	"encoding/json"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/scaffold"
)

// editorFile reads a file of .vscode.
func editorFile(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), ".vscode", name))
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// The editor has a task for each kind of function that has no choice to make, which asks
// for the name.
func TestTasks(t *testing.T) {
	var file struct {
		Tasks  []struct{ Label, Command string }
		Inputs []struct{ ID, Type string }
	}
	editorFile(t, "tasks.json", &file)
	var kinds []string
	for _, task := range file.Tasks {
		_, rest, found := strings.Cut(task.Command, "durable new ")
		if !found {
			continue
		}
		kind, input, _ := strings.Cut(rest, " ")
		kinds = append(kinds, kind)
		if !slices.ContainsFunc(file.Inputs, func(i struct{ ID, Type string }) bool {
			return input == "${input:"+i.ID+"}" && i.Type == "promptString"
		}) {
			t.Errorf("%s asks for nothing: %s", task.Label, task.Command)
		}
	}
	var want []string
	for _, kind := range scaffold.Kinds() {
		if kind != scaffold.Trigger {
			want = append(want, string(kind))
		}
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("tasks for %q, want %q", kinds, want)
	}
}

var placeholder = regexp.MustCompile(`\$\{\d+:((?:\\\}|[^}])*)\}|\$\d+`)

// Each snippet is Go code, formatted by gofmt but for columns.
func TestSnippets(t *testing.T) {
	var file map[string]struct {
		Prefix string
		Body   []string
	}
	editorFile(t, "durable.code-snippets", &file)
	for name, snippet := range file {
		code := placeholder.ReplaceAllString(strings.Join(snippet.Body, "\n"), "$1")
		code = strings.ReplaceAll(code, `\}`, "}")
		if _, err := format.Source([]byte(code)); err != nil || strings.Contains(code, "$") || !strings.HasPrefix(snippet.Prefix, "d") {
			t.Errorf("%s: %v\n%s", name, err, code)
		}
	}
	if len(file) < 10 {
		t.Errorf("only %d snippets", len(file))
	}
}
