package pagecode

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// standard are packages of the standard library that code of pages uses without
// importing them.
var standard = []string{
	"bytes", "context", "embed", "encoding/json", "errors", "fmt", "io", "log", "log/slog", "maps", "net/http", "os",
	"path/filepath", "slices", "strconv", "strings", "sync", "sync/atomic", "testing", "time",
}

// Load compiles, with the go command in a folder of a module, the packages that code of
// pages may use without importing them: those of the patterns and some of the standard
// library. Of two packages with one name, the one with the shorter path is meant. Further
// are the paths of packages that code imports itself.
func Load(dir string, patterns []string, further ...string) (*Packages, error) {
	p := &Packages{paths: map[string]string{}, exports: map[string]string{}}
	for _, path := range standard {
		p.paths[path[strings.LastIndex(path, "/")+1:]] = path
	}
	named, err := list(dir, append([]string{"-f={{.Name}} {{.ImportPath}}"}, patterns...))
	if err != nil {
		return nil, err
	}
	all := append(append([]string{"-export", "-deps", "-f={{.ImportPath}} {{.Export}}"}, standard...), further...)
	for _, f := range named {
		all = append(all, f[1])
		if old := p.paths[f[0]]; f[0] != "main" && (old == "" || len(f[1]) < len(old)) {
			p.paths[f[0]] = f[1]
		}
	}
	files, err := list(dir, all)
	for _, f := range files {
		p.exports[f[0]] = f[1]
	}
	return p, err
}

// list runs "go list" and returns its lines of two fields.
func list(dir string, args []string) (lines [][2]string, err error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = filepath.FromSlash(dir)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w\n%s", dir, err, problems.Bytes())
	}
	for line := range strings.Lines(string(out)) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			lines = append(lines, [2]string{name, rest})
		}
	}
	return lines, nil
}
