// Package jsonc reads JSON as the Functions host reads the files of an app: with
// comments, commas behind the last member, and a byte order mark.
package jsonc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Unmarshal is json.Unmarshal for such a file. Numbers in values of type any are
// json.Number, as they were written.
func Unmarshal(raw []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(Plain(raw)))
	decoder.UseNumber()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("there is something behind the value, at byte %d", decoder.InputOffset())
	}
	return nil
}

// Plain is the file as JSON. Nothing moves, so that the places in the errors of a
// parser are those of the file.
func Plain(raw []byte) []byte {
	out := bytes.Clone(raw)
	if bytes.HasPrefix(out, []byte("\xef\xbb\xbf")) {
		copy(out, "   ")
	}
	// comma is where the last comma is, while only space follows it; last is what
	// came before.
	comma, last := -1, byte(0)
	for i := 0; i < len(out); {
		switch rest := out[i:]; {
		case rest[0] == '"':
			i += text(rest)
			comma, last = -1, '"'
		case bytes.HasPrefix(rest, []byte("//")):
			i += blank(rest, lineEnd(rest))
		case bytes.HasPrefix(rest, []byte("/*")):
			i += blank(rest, commentEnd(rest))
		case bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0:
			i++
		case rest[0] == ',' && bytes.IndexByte([]byte("{[,\x00"), last) < 0:
			comma, last = i, ','
			i++
		default:
			if (rest[0] == '}' || rest[0] == ']') && comma >= 0 {
				out[comma] = ' '
			}
			comma, last = -1, rest[0]
			i++
		}
	}
	return out
}

// text is the length of the string that begins here.
func text(rest []byte) int {
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(rest)
}

func lineEnd(rest []byte) int {
	if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
		return i
	}
	return len(rest)
}

func commentEnd(rest []byte) int {
	if i := bytes.Index(rest[2:], []byte("*/")); i >= 0 {
		return i + 4
	}
	return len(rest)
}

func blank(rest []byte, n int) int {
	for i := range n {
		if rest[i] != '\n' && rest[i] != '\r' {
			rest[i] = ' '
		}
	}
	return n
}

// Text is a string, or what the host makes one of: a number as it is written,
// true or false. null is none.
type Text string

// UnmarshalJSON reads a string, a number, a boolean or null.
func (t *Text) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '{', '[':
		return fmt.Errorf("%.40s is not a string", raw)
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*t = Text(s)
	case 'n':
		*t = ""
	default:
		*t = Text(raw)
	}
	return nil
}

// Scalar is the text of a value in an any that Unmarshal has filled; ok is false
// for objects, arrays and null.
func Scalar(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	}
	return "", false
}
