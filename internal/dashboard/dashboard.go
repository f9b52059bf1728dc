// Package dashboard is the web page that shows a task hub and acts on it: one
// self-contained file, which this package embeds. Its source is in the folder
// web; "npm run build" there makes page.html, which is committed.
package dashboard

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

//go:embed page.html
var page string

// Place is where a page is served, in addresses relative to its own.
type Place struct {
	// API is the address of the management API, with a slash at its end.
	API string
	// Keyless is an address of the page for which the host asks no key; empty:
	// none.
	Keyless string
}

var policy = contentSecurityPolicy(page)

// Serve answers with the page. It has nothing of the app in it but the
// addresses.
func Serve(w http.ResponseWriter, p Place) {
	body := strings.Replace(page, `data-api="./"`, `data-api="`+html.EscapeString(p.API)+`" data-keyless="`+html.EscapeString(p.Keyless)+`"`, 1)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-cache")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	_, _ = w.Write([]byte(body))
}

var (
	scripts = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	styles  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
)

// contentSecurityPolicy allows the page's own script and style, by their
// hashes, and requests to where it came from. Nothing else is loaded or run.
func contentSecurityPolicy(page string) string {
	return "default-src 'none'; script-src" + hashes(scripts, page) + "; style-src" + hashes(styles, page) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

func hashes(element *regexp.Regexp, page string) string {
	var b strings.Builder
	for _, match := range element.FindAllStringSubmatch(page, -1) {
		sum := sha256.Sum256([]byte(match[1]))
		b.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	return b.String()
}
