package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/durable-go/functions/internal/jsonc"
)

// memory is the value of AzureWebJobsStorage that keeps the hub in the process.
const memory = "memory"

// environment is what the app will see.
type environment struct {
	// own are this process's variables, which func adds local.settings.json to
	// by itself.
	own []string
	// settings are those of local.settings.json that own does not have.
	settings map[string]string
}

// appEnvironment reads the settings as func does: the values of
// local.settings.json, unless the environment has them already.
func appEnvironment(o options) (environment, error) {
	env := environment{own: os.Environ(), settings: map[string]string{}}
	if o.memory {
		env.own = append(env.own, "AzureWebJobsStorage="+memory)
	}
	file := filepath.Join(o.dir, "local.settings.json")
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return env, nil
	}
	if err != nil {
		return env, err
	}
	var content struct {
		IsEncrypted bool
		Values      map[string]jsonc.Text
	}
	if err := jsonc.Unmarshal(raw, &content); err != nil {
		return env, fmt.Errorf("%s does not parse: %w", file, err)
	}
	if content.IsEncrypted {
		return env, fmt.Errorf("%s is encrypted: run func settings decrypt", file)
	}
	for name, value := range content.Values {
		if env.get(name) == "" {
			env.settings[name] = string(value)
		}
	}
	return env, nil
}

// get is a setting's value. The last entry counts, as for a process; an empty one
// is none.
func (e environment) get(name string) string {
	for _, entry := range slices.Backward(e.own) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok && value != "" {
			return value
		}
	}
	return e.settings[name]
}

// list is the whole environment, for a program that does not read
// local.settings.json.
func (e environment) list() []string {
	all := slices.Clone(e.own)
	for name, value := range e.settings {
		all = append(all, name+"="+value)
	}
	return all
}

func inMemory(e environment) bool { return strings.EqualFold(e.get("AzureWebJobsStorage"), memory) }
