package scaffold

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
)

// Apply writes an addition into the folder of its app: the new files first, then
// main.go. Where main.go cannot be written the new files are removed.
func (a *Addition) Apply(dir string) error {
	made, err := write(dir, a.Files)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, a.Main.Path), a.Main.Content, 0o644); err != nil {
		remove(made)
		return fmt.Errorf("changing %s: %w", a.Main.Path, err)
	}
	return nil
}

var moduleLine = regexp.MustCompile(`(?m)^module[ \t]+"?([^"\s]+)"?`)

// ImportPath is the import path of the folder: the module path in the next go.mod
// above, and the way from there.
func ImportPath(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for root := dir; ; root = filepath.Dir(root) {
		raw, err := os.ReadFile(filepath.Join(root, "go.mod"))
		if err == nil {
			m := moduleLine.FindSubmatch(raw)
			if m == nil {
				return "", fmt.Errorf("%s has no module line", filepath.Join(root, "go.mod"))
			}
			rel, err := filepath.Rel(root, dir)
			return path.Join(string(m[1]), filepath.ToSlash(rel)), err
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if root == filepath.Dir(root) {
			return "", fmt.Errorf("there is no go.mod in %s or above: durable init makes an app", dir)
		}
	}
}
