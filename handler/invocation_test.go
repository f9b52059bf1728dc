package handler

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func trigger(kind, name, dataType string) *Function {
	b := Binding{Type: kind, Name: name, DataType: dataType, QueueName: "q"}
	return &Function{Name: "F", Trigger: b, Bindings: []Binding{b}}
}

// encodeTwice is how the host sends strings.
func encodeTwice(t testing.TB, text string) string {
	t.Helper()
	once, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(string(once))
	if err != nil {
		t.Fatal(err)
	}
	return string(twice)
}

func TestDecodeInvocation(t *testing.T) {
	const message = `{"$type":"x","Id":"not the message's","n":1}`
	binary := `"` + base64.StdEncoding.EncodeToString([]byte(message)) + `"`
	cases := []struct {
		name     string
		function *Function
		data     string
		want     string
	}{
		{"binary", trigger("queueTrigger", "msg", "binary"), binary, message},
		{"binary, type without case", trigger("QueueTrigger", "msg", "Binary"), binary, message},
		{"binary that is no base64", trigger("queueTrigger", "msg", "binary"), `"{}"`, `{}`},
		{"string", trigger("queueTrigger", "msg", ""), encodeTwice(t, message), message},
		{"string that is base64", trigger("queueTrigger", "msg", "string"), encodeTwice(t, "abcd"), "abcd"},
		{"string in quotes", trigger("queueTrigger", "msg", ""), encodeTwice(t, `"x"`), `"x"`},
		{"string encoded once", trigger("queueTrigger", "msg", ""), `"hello"`, "hello"},
		{"empty string", trigger("queueTrigger", "msg", ""), encodeTwice(t, ""), ""},
		{"number", trigger("serviceBusTrigger", "msg", ""), `"5"`, "5"},
		{"array", trigger("eventHubTrigger", "msg", ""), `"[1,2]"`, "[1,2]"},
		{"object", trigger("timerTrigger", "msg", ""), `{"IsPastDue":false}`, `{"IsPastDue":false}`},
		{"null", trigger("timerTrigger", "msg", ""), `null`, ``},
		{"unicode", trigger("queueTrigger", "msg", ""), encodeTwice(t, "é \"\\ \u2028 😀"), "é \"\\ \u2028 😀"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inv, err := decodeInvocation(c.function, "i1", []byte(`{"Data":{"msg":`+c.data+`},"Metadata":{}}`))
			if err != nil {
				t.Fatal(err)
			}
			if string(inv.Body) != c.want || inv.ID != "i1" || inv.Function != c.function {
				t.Errorf("body %q, want %q", inv.Body, c.want)
			}
			if (inv.Queue != nil) != strings.EqualFold(c.function.Trigger.Type, "queueTrigger") {
				t.Error("only queue triggers have a queue message")
			}
		})
	}
}

func TestQueueMetadata(t *testing.T) {
	want := QueueMessage{Queue: "q", ID: "6f", PopReceipt: "Ag==", DequeueCount: 3, Inserted: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Body: []byte("hello")}
	for name, metadata := range map[string]string{
		"as the host sends it":      `{"DequeueCount":"3","Id":"\"6f\"","PopReceipt":"\"Ag==\"","InsertionTime":"2026-01-02T03:04:05+00:00","sys":{"MethodName":"F"}}`,
		"as the documentation does": `{"DequeueCount":3,"Id":"6f","PopReceipt":"Ag==","InsertionTime":"2026-01-02T03:04:05Z"}`,
	} {
		inv, err := decodeInvocation(trigger("queueTrigger", "msg", "binary"), "", []byte(`{"Data":{"msg":"aGVsbG8="},"Metadata":`+metadata+`}`))
		if err != nil {
			t.Fatal(err)
		}
		got := *inv.Queue
		got.Inserted = got.Inserted.UTC()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestInvocationErrors(t *testing.T) {
	for raw, want := range map[string]string{
		``:                            "does not parse",
		`[]`:                          "does not parse",
		`{"Data":1}`:                  "does not parse",
		`{}`:                          `"msg"`,
		`null`:                        `"msg"`,
		`{"Data":{"message":"\"\""}}`: `"msg"`,
	} {
		_, err := decodeInvocation(trigger("queueTrigger", "msg", ""), "", []byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "function F") {
			t.Errorf("%s: error %v, want one with %s", raw, err, want)
		}
	}
}

func FuzzInvocation(f *testing.F) {
	f.Add([]byte(`{"Data":{"msg":"aGVsbG8="},"Metadata":{"DequeueCount":"3","Id":"\"6f\""}}`), true)
	f.Add([]byte(`{"Data":{"msg":"\"\\\"x\\\"\""},"Metadata":{"Id":{}}}`), false)
	f.Fuzz(func(t *testing.T, raw []byte, binary bool) {
		dataType := ""
		if binary {
			dataType = "binary"
		}
		inv, err := decodeInvocation(trigger("queueTrigger", "msg", dataType), "i", raw)
		if (inv == nil) == (err == nil) {
			t.Fatalf("%v and %v", inv, err)
		}
		if err != nil {
			return
		}
		_, _ = Decode[map[string]any](inv)
		if _, err := Decode[string](inv); err != nil {
			t.Fatalf("every message is a string: %v", err)
		}
	})
}

// A string comes out as it was put on the queue, whichever way the host sends
// it.
func FuzzTriggerValue(f *testing.F) {
	f.Add("hello")
	f.Add(`"x"`)
	f.Add("")
	f.Add(`{"a":"\u2028"}`)
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		if got := string(triggerValue(Binding{}, json.RawMessage(encodeTwice(t, text)))); got != text {
			t.Fatalf("as a string: %q, want %q", got, text)
		}
		binary, err := json.Marshal([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(triggerValue(Binding{DataType: "binary"}, binary)); got != text {
			t.Fatalf("as binary: %q, want %q", got, text)
		}
	})
}

type order struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
}

func TestDecode(t *testing.T) {
	const json = `{"id":"a","count":2}`
	inBase64 := base64.StdEncoding.EncodeToString([]byte(json))
	check(t, json, order{"a", 2})
	check(t, " \n"+json+"\r\n", order{"a", 2})
	check(t, inBase64, order{"a", 2})
	check(t, inBase64+"\n", order{"a", 2})
	check(t, json, []byte(json))
	check(t, inBase64, []byte(inBase64))
	check(t, "", []byte{})
	check(t, "hello", "hello")
	check(t, `"hello"`, "hello")
	check(t, "  hello ", "  hello ")
	check(t, "abcd", "abcd")
	check(t, "", "")
	check(t, "5", "5")
	check(t, "5", 5)
	check(t, "true", true)
	check(t, "[1,2]", []int{1, 2})
	check(t, "null", (*order)(nil))
}

func check[T any](t *testing.T, raw string, want T) {
	t.Helper()
	got, err := Decode[T](&Invocation{Body: []byte(raw)})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Decode[%T](%q) = %#v, %v; want %#v", want, raw, got, err, want)
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, raw := range []string{"", "hello", `{"id":`, `{"count":"x"}`, "[]", base64.StdEncoding.EncodeToString([]byte("[]"))} {
		if got, err := Decode[order](&Invocation{Body: []byte(raw)}); err == nil || !strings.Contains(err.Error(), "handler.order") {
			t.Errorf("Decode[order](%q) = %+v, %v", raw, got, err)
		}
	}
}
