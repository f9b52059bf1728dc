//go:build linux

package e2e

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/e2e/host"
)

// What is deployed is host.json, the functions of the lab, and the handler.
func TestPack(t *testing.T) {
	fn := host.NeedFunc(t)
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "app")
	copyRepository(t, root, dir)
	if err := host.Build(root, ".", filepath.Join(dir, "bin", "handler")); err != nil {
		t.Fatal(err)
	}
	output := t.TempDir()
	pack := exec.CommandContext(bounded(t), fn, "pack", "--output", output)
	pack.Dir = dir
	out, err := pack.CombinedOutput()
	if err != nil {
		t.Fatalf("func pack: %v\n%s", err, out)
	}
	want := []string{
		"DurableTask/function.json", "DurableTaskLinks/function.json", "Hello/function.json", "HttpStart/function.json",
		"Orchestrator/function.json", "bin/handler", "host.json",
	}
	if got := zipped(t, filepath.Join(output, "app.zip")); !slices.Equal(got, want) {
		t.Errorf("the zip has\n%s\nwant\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), out)
	}
}

// copyRepository copies what a developer has: the files under version control,
// and what lies around beside them.
func copyRepository(t *testing.T, root, dir string) {
	t.Helper()
	skip := []string{".git", "node_modules", ".azurite", "bin"}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(skip, name) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(dir, name), 0o755)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), raw, 0o644)
	})
	for _, file := range []string{
		"samples/other/function.json", "samples/other/host.json", "node_modules/azurite/package.json", ".azurite/__queuestorage__/data",
		"bin/handler.exe", "coverage.out", "infra/main.bicep", "docs/guide.md",
	} {
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), []byte("{}"), 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// zipped are the files in an archive, in order. The handler must be there as a
// program.
func zipped(t *testing.T, name string) (names []string) {
	t.Helper()
	archive, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	for _, file := range archive.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		names = append(names, filepath.ToSlash(file.Name))
		if file.Name == "bin/handler" && file.Mode().Perm()&0o111 == 0 {
			t.Error(fmt.Errorf("bin/handler has mode %v, no one can run it", file.Mode()))
		}
	}
	slices.Sort(names)
	return names
}
