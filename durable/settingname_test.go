package durable

import (
	"strings"
	"testing"
)

func TestLikelyNames(t *testing.T) {
	for key, want := range map[string]string{
		"hubNam":                         "hubName",
		"MaxConcurentActivityFunction":   "maxConcurrentActivityFunctions",
		"controlQueueVisibilityTimeout":  "storageProvider.controlQueueVisibilityTimeout",
		"storageProvider.partitonCount":  "storageProvider.partitionCount",
		"maxConcurrentEntityFunctions":   "",
		"tracing":                        "",
		"extendedSessionsEnabled":        "",
		"y":                              "",
		"storageProvider.maxConnections": "",
	} {
		if got := likelyName(key); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
	for name := range known {
		if knownName(strings.ToUpper(name)) != name {
			t.Errorf("%q is not found", name)
		}
	}
}

func TestUnknownFunctionOfAnEmptyApp(t *testing.T) {
	_, err := newRegistry().program("Order", "")
	if err == nil || !strings.Contains(err.Error(), "App.Register") || strings.Contains(err.Error(), "''") {
		t.Errorf("got %v", err)
	}
}
