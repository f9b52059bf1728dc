package durable

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
)

// schemaDepth bounds how deep a type is described.
const schemaDepth = 6

var (
	timeType        = reflect.TypeFor[time.Time]()
	rawType         = reflect.TypeFor[json.RawMessage]()
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// schemaOf is the JSON schema of a type as package encoding/json reads it; nil
// where the type takes no input. What is not known is left open.
func schemaOf(t reflect.Type) json.RawMessage {
	if t == nil || t == reflect.TypeFor[None]() {
		return nil
	}
	raw, err := json.Marshal(describe(t, nil))
	if err != nil {
		return nil
	}
	return raw
}

type schema map[string]any

// describe describes a type within others. One that contains itself is left
// open there.
func describe(t reflect.Type, within []reflect.Type) schema {
	if t.Kind() == reflect.Pointer {
		return describe(t.Elem(), within)
	}
	switch {
	case len(within) == schemaDepth, slices.Contains(within, t), t == rawType:
		return schema{}
	case t == timeType:
		return schema{"type": "string", "format": "date-time"}
	case implements(t, jsonUnmarshaler), implements(t, jsonMarshaler):
		return schema{}
	case implements(t, textUnmarshaler):
		return schema{"type": "string"}
	}
	within = append(slices.Clip(within), t)
	switch t.Kind() {
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			return schema{"type": "string", "contentEncoding": "base64"}
		}
		return schema{"type": "array", "items": describe(t.Elem(), within)}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": describe(t.Elem(), within)}
	case reflect.Struct:
		s := schema{"type": "object", "properties": schema{}}
		addFields(s, t, within)
		return s
	}
	if k := t.Kind(); k >= reflect.Int && k <= reflect.Uint64 {
		return schema{"type": "integer"}
	}
	return schema{}
}

func implements(t, what reflect.Type) bool {
	return t.Implements(what) || reflect.PointerTo(t).Implements(what)
}

// addFields adds the fields of a struct to the schema of an object, those of
// embedded structs as its own.
func addFields(s schema, t reflect.Type, within []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Tag.Get("json") == "-":
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			if !slices.Contains(within, inner) {
				addFields(s, inner, append(slices.Clip(within), inner))
			}
		case f.IsExported():
			addField(s, f.Type, cmp.Or(name, f.Name), options, within)
		}
	}
}

func addField(s schema, t reflect.Type, name, options string, within []reflect.Type) {
	described := describe(t, within)
	if strings.Contains(options, "string") {
		described = schema{"type": "string"}
	}
	s["properties"].(schema)[name] = described
}
