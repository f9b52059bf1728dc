package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// What pack makes of the lab is unpacked as Azure does it, and is a whole app then.
func TestPackedAppRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.zip")
	packInto(t, "--arch", runtime.GOARCH, "--out", file, filepath.Join("..", ".."))
	dir := unpack(t, file)
	port := freePorts(t, 1)[0]
	app := exec.Command(filepath.Join(dir, "bin", "handler"))
	app.Dir = dir
	app.Env = append(os.Environ(), "AzureWebJobsStorage=memory", "TaskHub=GoHub", fmt.Sprintf("DURABLE_STANDALONE=127.0.0.1:%d", port))
	printed := &output{}
	app.Stdout, app.Stderr = printed, printed
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Wait() }()
	if err := runLab(t, port, ended); err != nil {
		t.Errorf("%v\n%s", err, printed)
	}
	if err := app.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("the app ended by itself")
	}
}

// unpack writes the files of an archive into a folder, with their modes.
func unpack(t *testing.T, file string) string {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	dir := t.TempDir()
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var content bytes.Buffer
		_, err = content.ReadFrom(r)
		if closed := r.Close(); err == nil {
			err = closed
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, content.Bytes(), f.Mode())
		}
		if err != nil {
			t.Fatalf("unpacking %s: %v", f.Name, err)
		}
	}
	return dir
}
