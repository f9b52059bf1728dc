package route

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Path decodes the path of a request as the host's server does: once, with
// encoded slashes left as they are, and what is no UTF-8 as well; then it
// resolves the segments . and ... ok is false for a path with a NUL, which is
// answered 400. What the host passes on was encoded from such a path, so that
// decoding it again gives the same.
func Path(escaped string) (path string, ok bool) {
	path = decode(escaped)
	return withoutDots(path), !strings.Contains(path, "\x00")
}

func decode(escaped string) string {
	var b strings.Builder
	for i := 0; i < len(escaped); {
		text, n := decodeOne(escaped[i:])
		b.WriteString(text)
		i += n
	}
	return b.String()
}

// decodeOne decodes the escapes of one character, or takes one byte as it is.
func decodeOne(text string) (string, int) {
	var raw []byte
	for n := 0; n+3 <= len(text) && text[n] == '%' && len(raw) < utf8.UTFMax; n += 3 {
		c, ok := unhex(text[n+1], text[n+2])
		if !ok {
			break
		}
		raw = append(raw, c)
		if r, size := utf8.DecodeRune(raw); size == len(raw) && (r != utf8.RuneError || size == 3) {
			if r == '/' {
				return text[:3], 3
			}
			return string(raw), n + 3
		}
	}
	return text[:1], 1
}

func unhex(a, b byte) (byte, bool) {
	n, err := strconv.ParseUint(string([]byte{a, b}), 16, 8)
	return byte(n), err == nil
}

func withoutDots(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	out := parts[:0:0]
	for i, part := range parts {
		last := i == len(parts)-1
		switch part {
		case ".":
		case "..":
			out = out[:max(len(out)-1, 0)]
		default:
			out = append(out, part)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}
