package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// maxSize is how large the page may be, with gzip.
const maxSize = 60 << 10

func TestSize(t *testing.T) {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if _, err := z.Write([]byte(page)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if b.Len() > maxSize {
		t.Errorf("the page has %d bytes with gzip, at most %d are allowed", b.Len(), maxSize)
	}
}

// The page is all that a browser needs: it names nothing else, and has no code
// outside of its one script.
func TestSelfContained(t *testing.T) {
	for _, pattern := range []string{`<script[^>]+src`, `<link[^>]+href="?(https?:|//|/)`, `@import`, `url\(\s*['"]?(https?:)?//`, `<[a-z]+[^>]*\son[a-z]+=`, `\beval\(`, `new Function\(`, `<style[^>]+>`} {
		frame := page
		if strings.HasPrefix(pattern, "<") {
			frame = scripts.ReplaceAllString(page, "<script></script>")
		}
		if found := regexp.MustCompile(pattern).FindString(frame); found != "" {
			t.Errorf("the page has %q (%s)", found, pattern)
		}
	}
}

func TestServe(t *testing.T) {
	w := httptest.NewRecorder()
	Serve(w, Place{API: `../"><script>x`, Keyless: "k"})
	body := w.Body.String()
	if strings.Contains(body, `"><script>x`) || !strings.Contains(body, `data-api="../&#34;&gt;&lt;script&gt;x" data-keyless="k"`) {
		t.Errorf("%.300s", body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, element := range []*regexp.Regexp{scripts, styles} {
		found := element.FindAllStringSubmatch(body, -1)
		if len(found) != 1 {
			t.Fatalf("%d of %s", len(found), element)
		}
		sum := sha256.Sum256([]byte(found[0][1]))
		if !strings.Contains(policy, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("the policy %q does not allow %s", policy, element)
		}
	}
	for _, no := range []string{"unsafe-inline", "unsafe-eval", "http:", "https:", "*"} {
		if strings.Contains(policy, no) {
			t.Errorf("the policy has %s: %s", no, policy)
		}
	}
}

// The committed page is what its source makes. It needs Node and the packages
// of web, which "npm ci" brings.
func TestPageIsBuiltFromItsSource(t *testing.T) {
	if _, err := os.Stat("web/node_modules/esbuild"); err != nil {
		if os.Getenv("DURABLE_REQUIRE_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skip("no packages: npm ci in internal/dashboard/web brings them")
	}
	for _, script := range []string{"check", "types", "unit"} {
		cmd := exec.Command("npm", "run", "--silent", script)
		cmd.Dir = "web"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("npm run %s: %v\n%s", script, err, out)
		}
	}
}
