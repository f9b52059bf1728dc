// Package redact takes secrets out of texts that people read: logs, and errors
// that come from elsewhere.
package redact

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// mark stands where a secret was.
const mark = "REDACTED"

// secrets are the forms in which secrets come: the parameters sig and code of a
// URL, also escaped once or twice, and by themselves where they are long; as
// url.Values prints them; parts of a connection string; settings; headers, also in
// JSON, where a plus may be an escape; users of URLs.
var secrets = regexp.MustCompile(`(?i)` +
	`([?&;#]|%3f|%26|%253f|%2526|\\u0026|\bsharedaccesssignature=)((?:sig|code)(?:=|%3d|%253d))[^&\s"'<>\\;)]+` +
	`|()\b((?:sig|signature)(?:=|:\[|":\s?"|%3d|%253d))[A-Za-z0-9._~+/=%-]{16,}` +
	`|()\b(code(?:=|:\[|":\s?"|%3d|%253d))[A-Za-z0-9._~+/=%-]{32,}` +
	`|()((?:accountkey|sharedaccesskey|client_?secret)"?\s*[=:]\s*"?)(?:[^;\s"'\\]|\\u00[0-9a-f]{2})+` +
	`|()\b((?:x-functions-key|x-ms-access-key)"?\s*[:=]\s*\[?"?)[^\s",;\]]+` +
	`|()\b((?:bearer|basic|sharedkey|sharedkeylite)\s+)[A-Za-z0-9._~+/=:-]{16,}` +
	`|()(://[^/\s:@"]*:)[^/\s@"]+@`)

// mayHave finds quickly that most texts have nothing to hide.
var mayHave = regexp.MustCompile(`[=:]|(?i)%3d|%253d|bearer|basic|sharedkey|-key`)

// Text replaces the secrets in a text.
func Text(text string) string {
	if !mayHave.MatchString(text) {
		return text
	}
	return secrets.ReplaceAllString(text, "${1}${2}${3}${4}${5}${6}${7}${8}${9}${10}${11}${12}${13}${14}"+mark)
}

// URL is an address without what may be secret in it: query, fragment and user.
func URL(text string) string {
	text, _, _ = strings.Cut(text, "?")
	text, _, _ = strings.Cut(text, "#")
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text
	}
	authority, path, slash := strings.Cut(rest, "/")
	if slash {
		path = "/" + path
	}
	return scheme + "://" + authority[strings.LastIndexByte(authority, '@')+1:] + path
}

// Error is an error without secrets. Those of package net/http lose the query of
// their URL; the text of any other is what Text makes of it.
func Error(err error) error {
	if err == nil {
		return nil
	}
	if failed := new(url.Error); errors.As(err, &failed) {
		failed.URL = URL(failed.URL)
	}
	if text := err.Error(); Text(text) != text {
		return &redacted{text: Text(text), cause: err}
	}
	return err
}

// redacted is an error with another text. What caused it can be asked for by
// type, but is not in a text by itself.
type redacted struct {
	text  string
	cause error
}

func (r *redacted) Error() string { return r.text }

// Unwrap is the error whose text had a secret.
func (r *redacted) Unwrap() error { return r.cause }
