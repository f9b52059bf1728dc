package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/durable-go/functions/internal/jsonc"
	"github.com/spf13/cobra"
)

const packHelp = `
builds the app for Linux and puts it into a zip file that a Function App runs: host.json, the
function.json of each function, and the program under the name that host.json gives. Nothing
else, unless --include names it. The same sources give the same bytes, with the same version
of Go, on every machine. Files that the app reads are best embedded into it (package embed).`

// packOptions are the arguments of pack.
type packOptions struct {
	dir     string
	out     string
	arch    string
	include []string
}

func newPackCommand() *cobra.Command {
	var o packOptions
	cmd := &cobra.Command{
		Use: "pack [DIR]", Short: "builds the app for Linux and makes the zip file that is deployed",
		Long: "pack" + packHelp,
		Example: "  durable pack\n" +
			"  durable pack --out dist/app --arch arm64 --include templates",
		Args: oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return pack(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&o.out, "out", filepath.Join("dist", "app.zip"), "`file` to write; a relative one is in the folder of the app. Without the ending .zip it is an empty or new folder, for a container")
	cmd.Flags().StringVar(&o.arch, "arch", "amd64", "processor that the app runs on: amd64, or arm64 for containers")
	cmd.Flags().StringArrayVar(&o.include, "include", nil, "`file or folder` of the app that belongs to it as well; may come several times")
	return cmd
}

func (o *packOptions) check(args []string) (err error) {
	if o.arch != "amd64" && o.arch != "arm64" {
		return usageError{fmt.Errorf("--arch %s: want amd64 or arm64", o.arch)}
	}
	if o.dir, err = filepath.Abs(folder(args)); err != nil {
		return err
	}
	if !filepath.IsAbs(o.out) {
		o.out = filepath.Join(o.dir, o.out)
	}
	return nil
}

// pack builds the app and writes the zip file.
func pack(ctx context.Context, o packOptions, out io.Writer) error {
	program, err := programName(o.dir)
	if err != nil {
		return err
	}
	files, err := contents(o)
	if err != nil {
		return err
	}
	built, err := os.MkdirTemp("", "durable-pack-")
	if err != nil {
		return fmt.Errorf("a folder for the program: %w", err)
	}
	defer func() { _ = os.RemoveAll(built) }()
	binary := filepath.Join(built, "handler")
	fmt.Fprintf(out, "Building %s for linux/%s\n", program, o.arch)
	if err := buildForAzure(ctx, o, binary); err != nil {
		return stopped(ctx, err)
	}
	files = append(slices.DeleteFunc(files, func(f packed) bool { return f.name == program }), packed{program, binary, true})
	for _, f := range files {
		fmt.Fprintln(out, "  "+f.name)
	}
	if !strings.EqualFold(filepath.Ext(o.out), ".zip") {
		return fill(o.out, files)
	}
	raw, err := archive(files)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %.1f MiB, sha256 %x\n", o.out, float64(len(raw))/(1<<20), sha256.Sum256(raw))
	return replaceFile(o.out, raw)
}

// buildForAzure compiles the app. Paths, version control and build ids are left
// out, so that the program depends on its sources and on the version of Go alone.
func buildForAzure(ctx context.Context, o packOptions, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, ".")
	cmd.Dir = o.dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+o.arch, "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the app in %s: %w\n%s", o.dir, err, strings.TrimSpace(string(text)))
	}
	return nil
}

// programName returns the name of the program in the app's folder, with slashes, as
// host.json gives it.
func programName(dir string) (string, error) {
	var host struct {
		CustomHandler struct {
			Description struct{ DefaultExecutablePath string }
		}
	}
	file := filepath.Join(dir, "host.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the folder of an app has a host.json: %w", err)
	}
	if err := jsonc.Unmarshal(raw, &host); err != nil {
		return "", fmt.Errorf("%s does not parse: %w", file, err)
	}
	name := host.CustomHandler.Description.DefaultExecutablePath
	switch clean := filepath.ToSlash(filepath.Clean(filepath.FromSlash(name))); {
	case name == "":
		return "", fmt.Errorf("%s names no program: set customHandler.description.defaultExecutablePath, such as bin/handler", file)
	case !filepath.IsLocal(filepath.FromSlash(name)) || strings.Contains(name, `\`):
		return "", fmt.Errorf("%s: the program %q (customHandler.description.defaultExecutablePath) must be in the app's folder, and its path written with slashes, such as bin/handler", file, name)
	case strings.EqualFold(filepath.Ext(name), ".exe"):
		return "", fmt.Errorf("%s: %q is a program of Windows; a package for Linux needs a name without .exe. Windows finds bin/handler.exe for bin/handler", file, name)
	default:
		return clean, nil
	}
}

// contents lists the files of the package but the program, in order of their names.
func contents(o packOptions) ([]packed, error) {
	functions, err := functionFiles(o.dir)
	if err != nil {
		return nil, err
	}
	if len(functions) == 0 {
		return nil, fmt.Errorf("no folder in %s has a function.json: such an app has no functions", o.dir)
	}
	names := []string{"host.json"}
	for _, file := range functions {
		folder := filepath.Base(filepath.Dir(file))
		names = append(names, folder+"/function.json")
		script, err := scriptFile(file)
		if err != nil {
			return nil, err
		}
		if script != "" {
			names = append(names, folder+"/"+script)
		}
	}
	for _, name := range o.include {
		more, err := included(o, name)
		if err != nil {
			return nil, err
		}
		names = append(names, more...)
	}
	slices.Sort(names)
	var files []packed
	for _, name := range slices.Compact(names) {
		files = append(files, packed{name: name, path: filepath.Join(o.dir, filepath.FromSlash(name))})
	}
	return files, nil
}

// functionFiles lists the function.json of each folder of an app. Settings, by which
// the host may turn functions off, are those of another machine.
func functionFiles(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the app's folder: %w", err)
	}
	for _, entry := range entries {
		file := filepath.Join(dir, entry.Name(), "function.json")
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			files = append(files, file)
		}
	}
	return files, nil
}

// scriptFile returns the file that a function.json names. The host leaves a function
// out when its file is missing.
func scriptFile(file string) (string, error) {
	var function struct{ ScriptFile jsonc.Text }
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if err := jsonc.Unmarshal(raw, &function); err != nil {
		return "", fmt.Errorf("%s does not parse: %w", file, err)
	}
	name := string(function.ScriptFile)
	if name != "" && !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", fmt.Errorf("%s: scriptFile %q must be in the folder of the function", file, name)
	}
	return name, nil
}

// included lists the files under a name that the user has given, with slashes. What
// begins with a dot, the settings of this machine and the package itself are not
// among them.
func included(o packOptions, name string) (files []string, err error) {
	if !filepath.IsLocal(name) {
		return nil, usageError{fmt.Errorf("--include %s: want a file or folder in the folder of the app, as a relative path", name)}
	}
	err = filepath.WalkDir(filepath.Join(o.dir, name), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(entry.Name(), ".") && path != o.dir:
			return skip(entry)
		case entry.IsDir() || path == o.out || entry.Name() == "local.settings.json":
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is not a regular file", path)
		}
		inside, err := filepath.Rel(o.dir, path)
		files = append(files, filepath.ToSlash(inside))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("--include %s: %w", name, err)
	}
	return files, nil
}

// skip leaves a file or a folder with all that is in it out of a walk.
func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}
