package enginetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Files plays the files that a pattern names, each as a test: play gets the name
// without its ending and the text, and returns the text with what came out. That
// must be the text itself; rewrite writes it into the file instead.
func Files(t *testing.T, pattern string, rewrite bool, play func(t *testing.T, name, text string) string) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, name, string(raw))
			if rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(raw) {
				t.Errorf("the outcome differs (-rewrite accepts it):\n%s", firstDifference(string(raw), got))
			}
		})
	}
}

// Blocks gives the commands of a text to a function: the words of each one's
// first line, and the lines of its body. It returns the text with what came out.
func Blocks(text string, command func(words, body []string) string) string {
	var out strings.Builder
	for _, block := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		lines := strings.Split(block, "\n")
		if strings.HasPrefix(lines[0], "#") {
			out.WriteString(block + "\n\n")
			continue
		}
		body := lines[1:]
		for i, line := range body {
			if line == "----" {
				body = body[:i]
				break
			}
		}
		out.WriteString(strings.Join(append([]string{lines[0]}, body...), "\n") + "\n----\n")
		out.WriteString(command(strings.Fields(lines[0]), body) + "\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, a[i], b[i])
		}
	}
	return "one is longer"
}
