package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write writes new files into a folder, which it makes where it is not there. It
// fails, and leaves everything as it was, where one of them exists or cannot be
// written.
func Write(dir string, files []File) error {
	_, err := write(dir, files)
	return err
}

// write returns what it has made: files and folders, parents first.
func write(dir string, files []File) (made []string, err error) {
	if err := checkFree(dir, files); err != nil {
		return nil, err
	}
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		folders, err := makeFolders(filepath.Dir(name))
		made = append(made, folders...)
		if err == nil {
			made = append(made, name)
			err = os.WriteFile(name, f.Content, 0o644)
		}
		if err != nil {
			remove(made)
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return made, nil
}

// remove removes what write has made.
func remove(made []string) {
	for i := len(made) - 1; i >= 0; i-- {
		_ = os.Remove(made[i])
	}
}

// checkFree fails where one of the files is there.
func checkFree(dir string, files []File) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file", dir)
	}
	var taken []string
	for _, f := range files {
		_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Path)))
		switch {
		case err == nil:
			taken = append(taken, f.Path)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if len(taken) > 0 {
		return fmt.Errorf("%s has %s already; nothing was written: choose another folder, or remove what is there", dir, strings.Join(taken, ", "))
	}
	return nil
}

// makeFolders makes a folder and its parents, and returns those that it has made, the
// parents first.
func makeFolders(dir string) (made []string, err error) {
	if _, err := os.Stat(dir); err == nil {
		return nil, nil
	}
	made, err = makeFolders(filepath.Dir(dir))
	if err != nil {
		return made, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return made, err
	}
	return append(made, dir), nil
}
