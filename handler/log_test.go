package handler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
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

// Keys and signatures do not get into logs, in whatever a value they are.
func TestLogsHaveNoSecrets(t *testing.T) {
	const secret = "c2VjcmV0c2lnbmF0dXJl"
	for _, site := range []string{"", "my-site"} {
		var out bytes.Buffer
		log := NewLogger(&out, &out, func(string) string { return site }).With("with", "?code="+secret)
		u, err := url.Parse("http://h/?sig=" + secret)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("message ?sig="+secret, "text", "AccountKey="+secret, "error", fmt.Errorf("get: %w", &url.Error{Op: "Get", URL: u.String(), Err: io.EOF}),
			"url", u, "map", map[string]string{"X-Functions-Key": secret}, "header", http.Header{"X-Functions-Key": {secret}}, slog.Group("g", "x", "&code="+secret), "raw", []byte("?sig="+secret))
		if strings.Contains(out.String(), secret) || strings.Count(out.String(), "REDACTED") != 9 {
			t.Errorf("site %q: %s", site, &out)
		}
	}
}
