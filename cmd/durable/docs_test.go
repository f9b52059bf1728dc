package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// named finds the commands of this tool that a text names as code.
var named = regexp.MustCompile("(?m)(?:`|^    |cmd/)durable ([a-z]+)")

// Every command that a page, a pipeline or an image names is one of this tool.
func TestPagesNameCommandsThatExist(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*", "azure.yaml"} {
		found, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	root := newRoot()
	root.InitDefaultCompletionCmd()
	seen := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(raw), -1) {
			seen++
			if found, _, err := root.Find([]string{m[1]}); err != nil || found.Name() != m[1] {
				t.Errorf("%s names durable %s, and there is no such command", file, m[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("found only %d commands in %v", seen, files)
	}
}
