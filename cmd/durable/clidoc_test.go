package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// leaves are the commands that do something, but those of cobra itself.
func leaves(cmd *cobra.Command) (all []*cobra.Command) {
	if !cmd.HasSubCommands() {
		return []*cobra.Command{cmd}
	}
	for _, sub := range cmd.Commands() {
		if sub.Name() != "help" && sub.Name() != "completion" {
			all = append(all, leaves(sub)...)
		}
	}
	return all
}

// docs/cli.md has a section for each command, with an example, and names each flag
// there or among those that commands have in common; it names no others.
func TestPageOfCommands(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(raw), "\n### ")
	common, sections := parts[0], map[string]string{}
	for _, part := range parts[1:] {
		name, text, _ := strings.Cut(part, "\n")
		text, _, _ = strings.Cut(text, "\n## ")
		sections[name] = text
	}
	for _, cmd := range leaves(newRoot()) {
		path := cmd.CommandPath()
		text, ok := sections[path]
		delete(sections, path)
		if !ok || !strings.Contains(text, "\n"+path) {
			t.Errorf("docs/cli.md has no section %q with an example", path)
			continue
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if flag := "--" + f.Name; f.Name != "help" && !strings.Contains(text, flag) && !strings.Contains(common, "`"+flag+"`") {
				t.Errorf("docs/cli.md: the section of %s does not name %s", path, flag)
			}
		})
	}
	for name := range sections {
		t.Errorf("docs/cli.md has a section %q, and there is no such command", name)
	}
}

// Every command has an example that runs as far as its arguments, and says in a line
// what it does.
func TestEveryCommandHasHelp(t *testing.T) {
	for _, cmd := range leaves(newRoot()) {
		path := cmd.CommandPath()
		if cmd.Short == "" || !strings.Contains(cmd.Example, "  "+path) {
			t.Errorf("%s: a line %q, examples %q", path, cmd.Short, cmd.Example)
		}
		for line := range strings.Lines(cmd.Example) {
			words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "durable "))
			found, _, err := newRoot().Find(words)
			if err != nil || found.CommandPath() != path {
				t.Errorf("%s: the example %q is another command (%v)", path, line, err)
			}
			for _, word := range words {
				if flag, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "="); strings.HasPrefix(word, "--") && cmd.Flags().Lookup(flag) == nil {
					t.Errorf("%s: the example %q has a flag that is not there", path, line)
				}
			}
		}
		if got := durableTool(t, append(strings.Fields(path)[1:], "--help")...); got.code != 0 || !strings.Contains(got.out, "Examples:") || got.problems != "" {
			t.Errorf("%s --help: %+v", path, got)
		}
	}
}
