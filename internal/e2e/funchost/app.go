//go:build unix

package funchost

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Copy makes an app in dir of the repository's folders: host.json and
// local.settings.json with the given hub, and the function.json of each of the
// functions, which are paths below root.
func Copy(root, dir, hub string, functions ...string) error {
	for _, file := range []string{"host.json", "local.settings.json"} {
		raw, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return err
		}
		raw = bytes.ReplaceAll(raw, []byte(`"GoHub"`), []byte(`"`+hub+`"`))
		if err := os.WriteFile(filepath.Join(dir, file), raw, 0o644); err != nil {
			return err
		}
	}
	for _, function := range functions {
		raw, err := os.ReadFile(filepath.Join(root, function, "function.json"))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.Base(function))
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, "function.json"), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Build compiles a program of the repository as the app's handler.
func Build(root, dir, program string, flags ...string) error {
	args := append([]string{"build"}, flags...)
	cmd := exec.Command("go", append(args, "-o", filepath.Join(dir, "bin", "handler"), program)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", program, err, out)
	}
	return nil
}
