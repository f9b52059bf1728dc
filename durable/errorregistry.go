package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
)

// registered are the errors that cross the boundary between activities and
// orchestrators as what they are.
var registered = errorRegistry{values: map[string]error{}, types: map[string][]errorType{}}

func init() {
	RegisterErrorValue("context.DeadlineExceeded", context.DeadlineExceeded)
	RegisterErrorValue("context.Canceled", context.Canceled)
	RegisterErrorValue("durable.ErrTimeout", ErrTimeout)
	RegisterErrorValue("durable.ErrCanceled", ErrCanceled)
}

// RegisterError lets errors of type T cross the boundary between activities,
// children, orchestrators and clients, so that errors.As finds them there: what JSON
// keeps of them comes back. Each registered error in the chain of the one that is
// returned crosses, however deep it is, and of one type up to 16 that differ; what it
// wraps itself comes back as far as that is registered too, beside it. It is meant for
// package initialisation and panics when T has no name of its own.
func RegisterError[T error]() {
	t := reflect.TypeFor[T]()
	registered.addType(t)
}

// RegisterErrorValue lets an error value (var ErrDeclined = errors.New(...))
// cross that boundary, so that errors.Is finds it there. The name is what
// histories record; it panics when the name stands for another error already.
func RegisterErrorValue(name string, err error) { registered.addValue(name, err) }

type errorRegistry struct {
	mu sync.RWMutex // guards the rest
	// names are those of values, typeNames those of types, as they were
	// registered.
	names     []string
	typeNames []string
	values    map[string]error
	// types are those of a name without the path of its package: mostly one.
	types map[string][]errorType
}

// recordedError is what a history keeps of a registered error: its name and, for one
// of a type, its JSON.
type recordedError struct {
	Type  string          `json:"type"`
	Error json.RawMessage `json:"error,omitempty"`
}

func (e recordedError) equal(o recordedError) bool {
	return e.Type == o.Type && string(e.Error) == string(o.Error)
}

// errorType is a registered type.
type errorType struct {
	t reflect.Type
	// path is its name with the path of its package, which is recorded where another type
	// has the same name.
	path string
}

// sameType bounds how many errors of one type are kept of a failure.
const sameType = 16

func (r *errorRegistry) addValue(name string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, twice := r.values[name]; name == "" || err == nil || twice && known != err {
		panic(fmt.Sprintf("durable: %q cannot be registered for the error %v", name, err))
	}
	if _, twice := r.values[name]; !twice {
		r.names = append(r.names, name)
	}
	r.values[name] = err
}

func (r *errorRegistry) addType(t reflect.Type) {
	named, star := t, ""
	if t.Kind() == reflect.Pointer {
		named, star = t.Elem(), "*"
	}
	if named.Name() == "" || t.Kind() == reflect.Interface {
		panic(fmt.Sprintf("durable: %v is not an error type that can be registered", t))
	}
	added := errorType{t, star + named.PkgPath() + "." + named.Name()}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, known := range r.types[t.String()] {
		switch {
		case known.t == t:
			return
		case known.path == added.path:
			panic(fmt.Sprintf("durable: two error types are named %v: types within functions cannot be told apart", t))
		}
	}
	if r.types[t.String()] == nil {
		r.typeNames = append(r.typeNames, t.String())
	}
	r.types[t.String()] = append(r.types[t.String()], added)
}

// find are the registered errors in the tree of err: those of types, then values, each
// in the order in which they were registered.
func (r *errorRegistry) find(err error) (found []recordedError) {
	if err == nil {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	tree := appendTree(nil, err)
	for _, name := range r.typeNames {
		for _, known := range r.types[name] {
			recorded := name
			if len(r.types[name]) > 1 {
				recorded = known.path
			}
			found = append(found, known.find(recorded, tree)...)
		}
	}
	for _, name := range r.names {
		if errors.Is(err, r.values[name]) {
			found = append(found, recordedError{Type: name})
		}
	}
	return found
}

// appendTree appends an error and all that it wraps, in the order of errors.As.
func appendTree(tree []error, err error) []error {
	if err == nil {
		return tree
	}
	tree = append(tree, err)
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		tree = appendTree(tree, err.Unwrap())
	case interface{ Unwrap() []error }:
		for _, wrapped := range err.Unwrap() {
			tree = appendTree(tree, wrapped)
		}
	}
	return tree
}

// find are those of the type that differ. A nil pointer has nothing to keep.
func (e errorType) find(name string, tree []error) (found []recordedError) {
	for _, err := range tree {
		target := reflect.New(e.t)
		as, converts := err.(interface{ As(any) bool })
		switch {
		case reflect.TypeOf(err) == e.t:
			target.Elem().Set(reflect.ValueOf(err))
		case !converts || !as.As(target.Interface()):
			continue
		}
		if e.t.Kind() == reflect.Pointer && target.Elem().IsNil() {
			continue
		}
		raw, err := marshalJSON(target.Elem().Interface())
		one := recordedError{Type: name, Error: raw}
		if err == nil && !slices.ContainsFunc(found, one.equal) {
			found = append(found, one)
		}
		if len(found) == sameType {
			break
		}
	}
	return found
}

// named is the type of a recorded name. Of several that share a short one it is the one
// that was registered first.
func (r *errorRegistry) named(name string) (errorType, bool) {
	if same := r.types[name]; same != nil {
		return same[0], true
	}
	for _, same := range r.types {
		for _, known := range same {
			if known.path == name {
				return known, true
			}
		}
	}
	return errorType{}, false
}

// restore makes a registered error again, nil when none is of that name.
func (r *errorRegistry) restore(e recordedError) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if err, ok := r.values[e.Type]; ok {
		return err
	}
	known, ok := r.named(e.Type)
	if !ok {
		return nil
	}
	value := reflect.New(known.t)
	if known.t.Kind() == reflect.Pointer {
		value.Elem().Set(reflect.New(known.t.Elem()))
	}
	if len(e.Error) > 0 && json.Unmarshal(e.Error, value.Interface()) != nil {
		return nil
	}
	err, _ := value.Elem().Interface().(error)
	return err
}
