package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// smallApp writes an app without dependencies, with what lies around in the folder of
// a developer.
func smallApp(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":                      "module example.com/app\n\ngo 1.25\n",
		"main.go":                     "package main\n\nfunc main() { println(\"here\") }\n",
		"main_test.go":                "package main\n",
		"host.json":                   `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"bin/handler"}}}`,
		"local.settings.json":         `{"Values":{"SECRET":"x"}}`,
		"Start/function.json":         `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req"},{"type":"http","direction":"out","name":"res"}]}`,
		"Start/start.go":              "package start\n",
		"Work/function.json":          `{"scriptFile":"about.txt","bindings":[{"type":"queueTrigger","direction":"in","name":"m","queueName":"%TaskHub%-workitems"}]}`,
		"Work/about.txt":              "work",
		"bin/handler":                 "built for this machine",
		"bin/handler.exe":             "built for this machine",
		"templates/mail.html":         "<p>",
		"templates/.secret":           "x",
		"templates/deep/more.html":    "<p>",
		"node_modules/x/host.json":    "{}",
		"nested/deeper/function.json": "{}",
		".git/config":                 "",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func packInto(t *testing.T, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	if code := run(t.Context(), append([]string{"pack"}, args...), &out, &problems); code != 0 {
		t.Fatalf("pack %v: %d\n%s%s", args, code, out.String(), problems.String())
	}
	return out.String()
}

func TestPackHoldsWhatAFunctionAppNeeds(t *testing.T) {
	basic := []string{"Start/function.json", "Work/about.txt", "Work/function.json", "bin/handler", "host.json"}
	for _, c := range []struct {
		name    string
		arch    string
		machine elf.Machine
		args    []string
		more    []string
	}{
		{"amd64", "amd64", elf.EM_X86_64, nil, nil},
		{"arm64", "arm64", elf.EM_AARCH64, nil, nil},
		{"folder and file", "amd64", elf.EM_X86_64, []string{"--include", "templates", "--include", "go.mod"}, []string{"go.mod", "templates/deep/more.html", "templates/mail.html"}},
		{"the whole folder", "amd64", elf.EM_X86_64, []string{"--include", "bin"}, []string{"bin/handler.exe"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := smallApp(t)
			packInto(t, append(append([]string{"--arch", c.arch}, c.args...), dir)...)
			archive, err := zip.OpenReader(filepath.Join(dir, "dist", "app.zip"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = archive.Close() }()
			var names []string
			for _, f := range archive.File {
				names = append(names, f.Name)
				want := os.FileMode(0o644)
				if f.Name == "bin/handler" {
					want = 0o755
					checkProgram(t, f, c.machine)
				}
				if f.Mode() != want {
					t.Errorf("%s has mode %v, want %v", f.Name, f.Mode(), want)
				}
			}
			slices.Sort(names)
			want := append(slices.Clone(basic), c.more...)
			slices.Sort(want)
			if !slices.Equal(names, want) {
				t.Errorf("the package has\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// checkProgram checks that a file is a program for Linux that needs no library.
func checkProgram(t *testing.T, f *zip.File, machine elf.Machine) {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	if _, err := content.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	program, err := elf.NewFile(bytes.NewReader(content.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if program.Machine != machine {
		t.Errorf("the program is for %v, want %v", program.Machine, machine)
	}
	if libraries, _ := program.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("the program needs %v", libraries)
	}
}

// Neither the folder nor the time nor the modes of the files are in the package.
func TestPackIsReproducible(t *testing.T) {
	first, second := smallApp(t), smallApp(t)
	host := filepath.Join(second, "host.json")
	if err := os.Chtimes(host, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(host, 0o755); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.zip")
	said := packInto(t, first)
	packInto(t, "--out", other, second)
	a, err := os.ReadFile(filepath.Join(first, "dist", "app.zip"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the same app in another folder makes another package")
	}
	if !strings.Contains(said, "sha256 ") {
		t.Errorf("pack says\n%s\nwant the hash of the package", said)
	}
	built, err := os.ReadFile(filepath.Join(first, "bin", "handler"))
	if err != nil || string(built) != "built for this machine" {
		t.Errorf("the program for this machine is %.20q now (%v)", built, err)
	}
}

// A container gets a folder, with nothing in it but the package.
func TestPackIntoAFolder(t *testing.T) {
	dir := smallApp(t)
	out := filepath.Join(t.TempDir(), "new", "app")
	packInto(t, "--out", out, dir)
	info, err := os.Stat(filepath.Join(out, "bin", "handler"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the program is %v (%v)", info, err)
	}
	var names []string
	err = filepath.WalkDir(out, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(out)+"/"))
		}
		return err
	})
	want := []string{"Start/function.json", "Work/about.txt", "Work/function.json", "bin/handler", "host.json"}
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("the folder has %v (%v), want %v", names, err, want)
	}
	var problems bytes.Buffer
	if code := run(t.Context(), []string{"pack", "--out", out, dir}, io.Discard, &problems); code != 1 || !strings.Contains(problems.String(), "is not empty") {
		t.Errorf("%d %s, want an error: the folder is not empty", code, problems.String())
	}
}

func TestPackRefuses(t *testing.T) {
	broken := func(name, content string) func(string) {
		return func(dir string) { _ = os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600) }
	}
	program := func(path string) func(string) {
		return broken("host.json", `{"customHandler":{"description":{"defaultExecutablePath":"`+path+`"}}}`)
	}
	for _, c := range []struct {
		name   string
		damage func(dir string)
		args   []string
		says   string
	}{
		{"another processor", nil, []string{"--arch", "386"}, "amd64 or arm64"},
		{"a folder without an app", func(dir string) { _ = os.Remove(filepath.Join(dir, "host.json")) }, nil, "has a host.json"},
		{"no program", broken("host.json", "{}"), nil, "defaultExecutablePath"},
		{"a program of Windows", program("bin/handler.exe"), nil, "without .exe"},
		{"a program elsewhere", program("../handler"), nil, "in the app's folder"},
		{"an absolute program", program("/usr/bin/handler"), nil, "in the app's folder"},
		{"backslashes", program(`bin\\handler`), nil, "with slashes"},
		{"code that does not compile", broken("main.go", "package main\nfunc main() { x }\n"), nil, "undefined: x"},
		{"a function that does not parse", broken("Start/function.json", "{"), nil, "Start/function.json"},
		{"a script elsewhere", broken("Work/function.json", `{"scriptFile":"../main.go","bindings":[{"type":"queueTrigger","direction":"in","name":"m","queueName":"q"}]}`), nil, "scriptFile"},
		{"a script that is missing", broken("Work/function.json", `{"scriptFile":"none","bindings":[{"type":"queueTrigger","direction":"in","name":"m","queueName":"q"}]}`), nil, "Work/none"},
		{"an include elsewhere", nil, []string{"--include", "../x"}, "--include ../x"},
		{"an include that is missing", nil, []string{"--include", "none"}, "--include none"},
		{"no functions", func(dir string) {
			_ = os.RemoveAll(filepath.Join(dir, "Start"))
			_ = os.RemoveAll(filepath.Join(dir, "Work"))
		}, nil, "has no functions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := smallApp(t)
			if c.damage != nil {
				c.damage(dir)
			}
			err := try(t, newPackCommand(), append(c.args, dir)...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want an error with %q", err, c.says)
			}
			if _, err := os.Stat(filepath.Join(dir, "dist")); err == nil {
				t.Error("there is a package, or a part of one")
			}
		})
	}
}

// The lab's package holds what func pack puts into its own, as the end-to-end test
// has it.
func TestContentsOfTheLab(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	files, err := contents(packOptions{dir: root})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	want := []string{
		"DurableTask/function.json", "DurableTaskLinks/function.json", "Hello/function.json", "HttpStart/function.json",
		"Orchestrator/function.json", "host.json",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the package of the lab has %v beside the program, want %v", names, want)
	}
}
