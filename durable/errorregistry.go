package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// registered are the errors that cross the boundary between activities and
// orchestrators as what they are.
var registered = errorRegistry{values: map[string]error{}, types: map[string]errorType{}}

func init() {
	RegisterErrorValue("context.DeadlineExceeded", context.DeadlineExceeded)
	RegisterErrorValue("context.Canceled", context.Canceled)
	RegisterErrorValue("durable.ErrTimeout", ErrTimeout)
	RegisterErrorValue("durable.ErrCanceled", ErrCanceled)
}

// RegisterError lets errors of type T cross the boundary between activities,
// children, orchestrators and clients, so that errors.As finds them there: what JSON
// keeps of them comes back. Each registered error in the chain of the one that is
// returned crosses, however deep it is; what it wraps itself comes back as far as that
// is registered too. It is meant for package initialisation and panics when T has no
// name of its own.
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
	types     map[string]errorType
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

type errorType struct {
	t reflect.Type
	// find looks for an error of the type in the tree of another one.
	find func(error) (any, bool)
}

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
	named := t
	if t.Kind() == reflect.Pointer {
		named = t.Elem()
	}
	if named.Name() == "" || t.Kind() == reflect.Interface {
		panic(fmt.Sprintf("durable: %v is not an error type that can be registered", t))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, twice := r.types[t.String()]; !twice {
		r.typeNames = append(r.typeNames, t.String())
	}
	r.types[t.String()] = errorType{t: t, find: func(err error) (any, bool) {
		target := reflect.New(t)
		if !errors.As(err, target.Interface()) {
			return nil, false
		}
		return target.Elem().Interface(), true
	}}
}

// find are the registered errors in the tree of err: those of types, then values, each
// in the order in which they were registered.
func (r *errorRegistry) find(err error) (found []recordedError) {
	if err == nil {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, name := range r.typeNames {
		if value, ok := r.types[name].find(err); ok {
			if raw, err := marshalJSON(value); err == nil {
				found = append(found, recordedError{Type: name, Error: raw})
			}
		}
	}
	for _, name := range r.names {
		if errors.Is(err, r.values[name]) {
			found = append(found, recordedError{Type: name})
		}
	}
	return found
}

// restore makes a registered error again, nil when none is of that name.
func (r *errorRegistry) restore(e recordedError) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if err, ok := r.values[e.Type]; ok {
		return err
	}
	known, ok := r.types[e.Type]
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
