package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// packed is a file of a package.
type packed struct {
	// name is that in the package, with slashes; path that on this machine.
	name, path string
	// program means that the file can be executed in the package, whatever it is on
	// this machine: Windows has no such bit.
	program bool
}

// packedTime is when every file of a package was changed: the first moment that a zip
// file can tell.
var packedTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// archive returns a zip file whose bytes depend on the names and contents of the
// files, and on their order.
func archive(files []packed) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		content, err := os.ReadFile(f.path)
		if err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.name, err)
		}
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: packedTime}
		header.SetMode(0o644)
		if f.program {
			header.SetMode(0o755)
		}
		entry, err := w.CreateHeader(header)
		if err == nil {
			_, err = entry.Write(content)
		}
		if err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	return out.Bytes(), nil
}

// replaceFile writes a file as a whole: one that was there stays until the new one is
// complete.
func replaceFile(name string, content []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	temporary, err := os.CreateTemp(dir, ".pack-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(content)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(temporary.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// fill writes the files of a package into a folder, which must have nothing else in it.
func fill(dir string, files []packed) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the folder to pack into: %w", err)
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("the folder to pack into: %w", err)
	}
	if len(there) > 0 {
		return fmt.Errorf("%s is not empty: what is in it would be deployed as well", dir)
	}
	for _, f := range files {
		content, err := os.ReadFile(f.path)
		if err != nil {
			return fmt.Errorf("packing %s: %w", f.name, err)
		}
		mode := os.FileMode(0o644)
		if f.program {
			mode = 0o755
		}
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("packing %s: %w", f.name, err)
		}
		if err := os.WriteFile(path, content, mode); err != nil {
			return fmt.Errorf("packing %s: %w", f.name, err)
		}
	}
	return nil
}
