package durable

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

type schemaNode struct {
	Name string        `json:"name"`
	Next *schemaNode   `json:"next"`
	All  []*schemaNode `json:"all,omitempty"`
}

type schemaBase struct{ ID int }

type schemaOrder struct {
	schemaBase
	When    time.Time         `json:"when"`
	Data    []byte            `json:"data"`
	Prices  map[string]int64  `json:"prices"`
	Raw     json.RawMessage   `json:"raw"`
	Text    int               `json:"text,string"`
	Any     any               `json:"any"`
	Fixed   [2]bool           `json:"fixed"`
	Labels  map[string]string `json:"-"`
	private int
}

func TestSchemaOf(t *testing.T) {
	cases := []struct {
		of   reflect.Type
		want string
	}{
		{reflect.TypeFor[None](), ""},
		{reflect.TypeFor[string](), `{"type":"string"}`},
		{reflect.TypeFor[*uint8](), `{"type":"integer"}`},
		{reflect.TypeFor[float32](), `{"type":"number"}`},
		{reflect.TypeFor[[]string](), `{"items":{"type":"string"},"type":"array"}`},
		{reflect.TypeFor[any](), `{}`},
		{reflect.TypeFor[schemaNode](), `{"properties":{"all":{"items":{},"type":"array"},"name":{"type":"string"},"next":{}},"type":"object"}`},
		{reflect.TypeFor[schemaOrder](), `{"properties":{"ID":{"type":"integer"},"any":{},"data":{"contentEncoding":"base64","type":"string"},` +
			`"fixed":{"items":{"type":"boolean"},"type":"array"},"prices":{"additionalProperties":{"type":"integer"},"type":"object"},` +
			`"raw":{},"text":{"type":"string"},"when":{"format":"date-time","type":"string"}},"type":"object"}`},
	}
	for _, c := range cases {
		if got := string(schemaOf(c.of)); got != c.want {
			t.Errorf("%v: %s, want %s", c.of, got, c.want)
		}
	}
	_ = schemaOrder{}.private
}

func TestDashboardSettings(t *testing.T) {
	s, _, err := parseSettings(json.RawMessage(`{"logCompletions": false, "dashboardActions": "true", "dashboardTraceUrl": "https://jaeger.example.com/trace/{traceId}"}`))
	if err != nil || s.DashboardActions == nil || !*s.DashboardActions || s.LogEnds == nil || *s.LogEnds || s.TraceURL == "" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{`{"dashboardActions": "perhaps"}`, `{"dashboardTraceUrl": "https://x/"}`, `{"dashboardTraceUrl": "javascript:alert('{traceId}')"}`} {
		if _, _, err := parseSettings(json.RawMessage(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
