package handler

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/durable-go/functions/internal/jsonc"
)

// overridePrefix begins the names of settings that override host.json.
const overridePrefix = "azurefunctionsjobhost__"

// loadHost reads host.json and applies the overrides.
func loadHost(file string, env map[string]string) (*App, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("host.json: %w; the app's root must hold it", err)
	}
	var tree map[string]any
	if err := jsonc.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("host.json does not parse: %w", err)
	}
	if tree == nil {
		tree = map[string]any{}
	}
	override(tree, env)
	if version, _ := lookup(tree, "version").(string); version != "2.0" {
		return nil, fmt.Errorf(`host.json: version: must be "2.0"`)
	}
	app := &App{RoutePrefix: "api", only: listed(lookup(tree, "functions"))}
	if prefix, ok := jsonc.Scalar(lookup(tree, "extensions", "http", "routePrefix")); ok {
		app.RoutePrefix = strings.Trim(prefix, "/")
	}
	proxies := truth(lookup(tree, "customHandler", "enableProxyingHttpRequest"))
	app.Forwards = !proxies && truth(lookup(tree, "customHandler", "enableForwardingHttpRequest"))
	app.Proxied = proxies || app.Forwards
	if section := lookup(tree, "extensions", "durableTask"); section != nil {
		if app.DurableTask, err = json.Marshal(section); err != nil {
			return nil, fmt.Errorf("host.json: extensions.durableTask: %w", err)
		}
	}
	return app, nil
}

// listed are the names in a list of host.json, in lower case; nil where it is empty or
// is not there.
func listed(v any) (names map[string]bool) {
	for _, item := range indexed(v) {
		if name, ok := jsonc.Scalar(item); ok && name != "" {
			if names == nil {
				names = map[string]bool{}
			}
			names[strings.ToLower(name)] = true
		}
	}
	return names
}

// indexed is an object; a list is one whose names are its places.
func indexed(v any) map[string]any {
	if inner, ok := v.(map[string]any); ok {
		return inner
	}
	inner := map[string]any{}
	items, _ := v.([]any)
	for i, item := range items {
		inner[strconv.Itoa(i)] = item
	}
	return inner
}

func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}

// lookup finds a value by its path, without case.
func lookup(tree map[string]any, path ...string) any {
	for i, name := range path {
		value := tree[keyOf(tree, name)]
		if i == len(path)-1 {
			return value
		}
		tree, _ = value.(map[string]any)
	}
	return nil
}

// keyOf is the spelling of a name that the tree has, or the name. Of several
// spellings it is the first in order.
func keyOf(tree map[string]any, name string) string {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return name
}

// override sets values from settings like AzureFunctionsJobHost__a__b, or with colons
// in place of the lines. They are strings.
func override(tree map[string]any, env map[string]string) {
	names := make([]string, 0)
	for name := range env {
		if strings.HasPrefix(strings.ReplaceAll(name, ":", "__"), overridePrefix) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		path := strings.TrimPrefix(strings.ReplaceAll(name, ":", "__"), overridePrefix)
		set(tree, strings.Split(path, "__"), env[name])
	}
}

func set(tree map[string]any, path []string, value string) {
	for _, name := range path[:len(path)-1] {
		key := keyOf(tree, name)
		inner := indexed(tree[key])
		tree[key] = inner
		tree = inner
	}
	tree[keyOf(tree, path[len(path)-1])] = value
}
