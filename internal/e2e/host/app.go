//go:build linux

package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
)

// Root is the directory of the module: the one above with a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod in this directory or above")
		}
	}
}

// MakeApp fills a directory with the copy of an app that Start makes, for a test that
// starts a host in its own way.
func MakeApp(dir string, o Options) error { return (&Host{Dir: dir, Options: o}).makeApp() }

// makeApp fills the app's directory.
func (h *Host) makeApp() error {
	root, folders := h.Options.App, []string{"."}
	if root == "" {
		var err error
		if root, err = Root(); err != nil {
			return err
		}
		folders = append(folders, h.Options.Folders...)
	}
	for _, folder := range folders {
		if err := copyFunctions(filepath.Join(root, folder), h.Dir); err != nil {
			return err
		}
	}
	if err := h.writeHostJSON(root); err != nil {
		return err
	}
	settings := map[string]any{"IsEncrypted": false, "Values": map[string]string{
		"FUNCTIONS_WORKER_RUNTIME": "custom", "AzureWebJobsStorage": h.Options.Storage, "TaskHub": h.Options.Hub,
	}}
	if err := writeJSON(filepath.Join(h.Dir, "local.settings.json"), settings); err != nil {
		return err
	}
	main := h.Options.Main
	if main == "" {
		main = "."
	}
	return Build(root, main, filepath.Join(h.Dir, "bin", "handler"), h.Options.Build...)
}

// copyFunctions copies the function.json files of the folders in from.
func copyFunctions(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "*", "function.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		folder := filepath.Join(to, filepath.Base(filepath.Dir(file)))
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, "function.json"), raw, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// writeHostJSON writes the app's host.json with the hub and the settings of the
// options.
func (h *Host) writeHostJSON(root string) error {
	raw, err := os.ReadFile(filepath.Join(root, "host.json"))
	if err != nil {
		return err
	}
	var file map[string]any
	if err := json.Unmarshal(raw, &file); err != nil {
		return fmt.Errorf("host.json: %w", err)
	}
	extensions, _ := file["extensions"].(map[string]any)
	section, _ := extensions["durableTask"].(map[string]any)
	if section == nil {
		return errors.New("host.json has no section extensions.durableTask")
	}
	section["hubName"] = h.Options.Hub
	for name, value := range h.Options.Settings {
		section[name] = value
	}
	return writeJSON(filepath.Join(h.Dir, "host.json"), file)
}

func writeJSON(file string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o644)
}

var built struct {
	sync.Mutex
	binaries map[string][]byte
}

// Build compiles a main package of the module in root, once for each test
// binary.
func Build(root, main, to string, arguments ...string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	built.Lock()
	defer built.Unlock()
	key := fmt.Sprint(root, main, arguments)
	if binary := built.binaries[key]; binary != nil {
		return os.WriteFile(to, binary, 0o755)
	}
	cmd := exec.Command("go", slices.Concat([]string{"build"}, arguments, []string{"-o", to, main})...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", main, err, out)
	}
	binary, err := os.ReadFile(to)
	if err != nil {
		return err
	}
	if built.binaries == nil {
		built.binaries = map[string][]byte{}
	}
	built.binaries[key] = binary
	return nil
}
