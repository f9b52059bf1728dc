package jsonc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

func TestUnmarshal(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"\xef\xbb\xbf{\"a\": 1}", "map[a:1]"},
		{"{ // c\n\"a\": 1, /* , } */ }", "map[a:1]"},
		{`{"a": [1, 2, ], "b": {"c": "// no /* comment, ]",},}`, "map[a:[1 2] b:map[c:// no /* comment, ]]]"},
		{`{"a": "quote \" , }"}`, `map[a:quote " , }]`},
		{"{\"a\": 1 // the end\r}", "map[a:1]"},
		{`{"a": 5.10, "b": true} // `, "map[a:5.10 b:true]"},
		{"{\"a\": 1}/* open", "map[a:1]"},
		{`{,}`, ""}, {`{"a": 1,,}`, ""}, {`[1 2]`, ""}, {`{"a": 1} {}`, ""}, {`{"a": 1}}`, ""}, {"{}\n]", ""}, {`{},`, ""}, {`{"a": "\x"}`, ""}, {``, ""}, {`"`, ""}, {"// ", ""},
	} {
		var v any
		err := Unmarshal([]byte(c.text), &v)
		if got := fmt.Sprint(v); c.want != "" && (err != nil || got != c.want) || c.want == "" && err == nil {
			t.Errorf("%q: %v %v, want %s", c.text, v, err, c.want)
		}
	}
}

func TestText(t *testing.T) {
	var v struct{ A, B, C, D, E Text }
	if err := Unmarshal([]byte(`{"A": "x", "B": 5.0, "C": true, "D": null}`), &v); err != nil || fmt.Sprint(v) != "{x 5.0 true  }" {
		t.Errorf("%v %v", v, err)
	}
	if err := Unmarshal([]byte(`{"A": ["x"]}`), &v); err == nil {
		t.Error("an array is taken")
	}
}

// What is JSON stays what it is, and nothing moves.
func FuzzPlain(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf{\"a\": [1, /* x */ 2,], // y\n}"))
	f.Add([]byte(`{"a": "\\\" // /* ,}"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		plain := Plain(raw)
		if len(plain) != len(raw) {
			t.Fatalf("%q became %q", raw, plain)
		}
		if json.Valid(raw) && !bytes.Equal(plain, raw) {
			t.Fatalf("%q became %q", raw, plain)
		}
		if !bytes.Equal(Plain(plain), plain) && json.Valid(plain) {
			t.Fatalf("%q, then %q", plain, Plain(plain))
		}
		var v any
		_ = Unmarshal(raw, &v)
	})
}
