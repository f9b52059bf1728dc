package handler

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestLogger(t *testing.T) {
	for _, site := range []string{"", "my-site"} {
		var out, failed bytes.Buffer
		log := NewLogger(&out, &failed, func(name string) string {
			if name == "WEBSITE_SITE_NAME" {
				return site
			}
			return ""
		}).With("instance", "i1").WithGroup("g")
		log.Debug("hidden")
		log.Info("two\nlines", "k", 1)
		log.Warn("careful")
		log.Error("broken")
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != 2 || strings.Count(failed.String(), "\n") != 1 {
			t.Fatalf("site %q: out %q, errors %q", site, &out, &failed)
		}
		if !strings.Contains(failed.String(), "broken") || !strings.Contains(failed.String(), "i1") {
			t.Errorf("site %q: errors %q", site, &failed)
		}
		if isJSON := json.Valid([]byte(lines[0])); isJSON != (site != "") {
			t.Errorf("site %q: line %s", site, lines[0])
		}
	}
}
