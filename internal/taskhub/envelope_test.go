package taskhub_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"pgregory.net/rapid"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(raw)
}

// plain decodes JSON without the class names of dictionaries, which we leave
// out on purpose.
func plain(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if class, _ := v["$type"].(string); strings.HasPrefix(class, "System.") {
				delete(v, "$type")
			}
			for _, inner := range v {
				strip(inner)
			}
		case []any:
			for _, inner := range v {
				strip(inner)
			}
		}
	}
	strip(v)
	return v
}

func TestMessagesAreTheOfficialOnes(t *testing.T) {
	files, err := filepath.Glob("testdata/queue/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw := read(t, file)
			m, err := taskhub.DecodeMessage(raw)
			if strings.Contains(file, "large-message") {
				if blob := new(taskhub.InBlobError); !errors.As(err, &blob) || !strings.HasSuffix(blob.Name, ".json.gz") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := taskhub.EncodeMessage(m); !reflect.DeepEqual(plain(t, got), plain(t, raw)) {
				t.Errorf("got  %s\nwant %s", got, raw)
			}
		})
	}
}

func TestMessagesOfTheCommandLine(t *testing.T) {
	files, err := filepath.Glob("testdata/queue-cli-1.4.0/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m, err := taskhub.DecodeMessage(read(t, file))
			if err != nil {
				t.Fatal(err)
			}
			if m.Target.InstanceID != "abc123" || m.ID == "" || m.Event.ID != history.NoID {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestBadMessages(t *testing.T) {
	for _, body := range []string{"", "x", "{", "{}", "[]", `{"TaskMessage":{}}`, `{"TaskMessage":{"OrchestrationInstance":{"InstanceId":"a"}}}`} {
		if m, err := taskhub.DecodeMessage([]byte(body)); err == nil {
			t.Errorf("%q: got %+v", body, m)
		}
	}
}

func TestStub(t *testing.T) {
	for _, name := range []string{"a/message-1-EventRaised.json.gz", `Zürich "x"/message-2-TaskCompleted.json.gz`} {
		body := taskhub.EncodeStub(name, `"0x1"`)
		if got := taskhub.StubBlob(body); got == nil || got.Name != name || got.ETag != `"0x1"` {
			t.Errorf("%q: got %+v", name, got)
		}
		blob := new(taskhub.InBlobError)
		if _, err := taskhub.DecodeMessage([]byte(body)); !errors.As(err, &blob) || blob.Name != name {
			t.Errorf("%q: decoded as %v", name, err)
		}
	}
	m := &taskhub.Message{ID: taskhub.NewGUID(), Target: history.InstanceRef{InstanceID: "a"}, Event: &history.Event{Type: history.EventRaised}}
	for _, body := range []string{"", "x", taskhub.EncodeBody(taskhub.EncodeMessage(m)), string(taskhub.EncodeMessage(m))} {
		if got := taskhub.StubBlob(body); got != nil {
			t.Errorf("%q is taken for a stub of %q", body, got.Name)
		}
	}
}

// TestInlineFitsAQueue: what is not kept apart fits a message of 64 KiB.
func TestInlineFitsAQueue(t *testing.T) {
	if n := len(taskhub.EncodeBody(make([]byte, taskhub.MaxInline))); n > 64<<10 {
		t.Errorf("%d bytes", n)
	}
}

func TestEscapeKey(t *testing.T) {
	var vectors []struct{ InstanceID, PartitionKey string }
	if err := json.Unmarshal(read(t, "testdata/key-escape.json"), &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(err)
	}
	for _, v := range vectors {
		if got := taskhub.EscapeKey(v.InstanceID); got != v.PartitionKey {
			t.Errorf("%q: got %q, want %q", v.InstanceID, got, v.PartitionKey)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.String().Draw(t, "id")
		if got := taskhub.UnescapeKey(taskhub.EscapeKey(id)); got != strings.ToValidUTF8(id, "\uFFFD") {
			t.Fatalf("%q came back as %q", id, got)
		}
	})
}

func TestValidInstanceID(t *testing.T) {
	cases := []struct {
		id string
		ok bool
	}{
		{"a", true}, {"Zürich 日本", true}, {"a:b'c\"d%", true}, {strings.Repeat("x", 256), true},
		{"", false}, {strings.Repeat("x", 257), false}, {"@counter@k", false}, {"a/b", false}, {`a\b`, false},
		{"a#b", false}, {"a?b", false}, {"a\tb", false}, {"a\u0085b", false}, {"a\xffb", false},
	}
	for _, c := range cases {
		if err := history.CheckInstanceID(c.id); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.id, err)
		}
	}
}

func TestIDs(t *testing.T) {
	if a, b := taskhub.GUID("ab", "c"), taskhub.GUID("a", "bc"); a == b {
		t.Error("parts run together")
	}
	if a, b := taskhub.GUID("x"), taskhub.GUID("x"); a != b || len(a) != 36 {
		t.Errorf("%s and %s", a, b)
	}
	if id := taskhub.NewID(); len(id) != 32 || id == taskhub.NewID() {
		t.Errorf("id %s", id)
	}
	if key := taskhub.RowKey(taskhub.FirstRow("a", "x") + 255); len(key) != 16 || !strings.HasSuffix(key, "000000FF") {
		t.Errorf("row key %s", key)
	}
}

// Whatever is in a queue is an error or a message that makes sense, and what was
// read once is read again as the same.
func FuzzDecodeMessage(f *testing.F) {
	files, err := filepath.Glob("testdata/queue*/*")
	if err != nil || len(files) < 20 {
		f.Fatalf("%d fixtures: %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
		f.Add([]byte(base64.StdEncoding.EncodeToString(bytes.TrimSpace(raw))))
	}
	f.Add([]byte(`{"TaskMessage":{"Event":{"$type":"x.TaskCompletedEvent"},"OrchestrationInstance":{"InstanceId":"a"}}}`))
	f.Add([]byte(`{"TaskMessage":{"Event":null,"OrchestrationInstance":{"InstanceId":"a"}}}`))
	f.Add([]byte(`{"TaskMessage":null,"CompressedBlobName":"../x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := taskhub.DecodeMessage(body)
		if err != nil {
			if m != nil {
				t.Fatalf("a message and an error: %v", err)
			}
			return
		}
		if m.Event == nil || m.Target.InstanceID == "" || m.Event.Type.String() == "" {
			t.Fatalf("a message without sense: %+v", m)
		}
		again, err := taskhub.DecodeMessage(taskhub.EncodeMessage(m))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if again.ID != strings.ToValidUTF8(m.ID, "\ufffd") || again.Event.Type != m.Event.Type || again.Event.ID != m.Event.ID {
			t.Fatalf("%+v is read again as %+v", m, again)
		}
	})
}
