package durable

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	fault "github.com/durable-go/functions/durable/testdata/faults/one"
	other "github.com/durable-go/functions/durable/testdata/faults/other"
	"github.com/durable-go/functions/internal/history"
)

// hollow is an error whose methods need what it wraps, which JSON does not keep.
type hollow struct {
	Code  int
	cause error
}

func (b *hollow) Error() string { return fmt.Sprint(b.Code, ": ", b.cause.Error()) }
func (b *hollow) Unwrap() error { return b.cause }

// unwrapless is an error that panics when it is looked into.
type unwrapless struct{}

func (unwrapless) Error() string { return "no way in" }
func (unwrapless) Unwrap() error { panic("do not look") }

// numbered is an error that errors.Is compares by its value.
type numbered struct{ N int }

func (n numbered) Error() string { return fmt.Sprint("number ", n.N) }

func init() {
	RegisterError[*hollow]()
	RegisterError[numbered]()
}

// An error whose methods panic is a failure like others: it keeps its type, and the text
// says what is wrong with it.
func TestErrorsWhoseMethodsPanic(t *testing.T) {
	var nilHollow *hollow
	var nilTask *TaskError
	for name, c := range map[string]struct {
		err        error
		kind, text string
		final      bool
	}{
		"a nil pointer":          {nilHollow, "*durable.hollow", "the error is a nil *durable.hollow: return nil itself where nothing has failed", false},
		"a nil pointer, final":   {NonRetryable(nilHollow), "*durable.hollow", "the error is a nil *durable.hollow", true},
		"a nil TaskError":        {nilTask, "*durable.TaskError", "the error is a nil *durable.TaskError", false},
		"one that came back":     {&hollow{Code: 7}, "*durable.hollow", "the error is a *durable.hollow whose method Error panics: ", false},
		"one that is not to see": {unwrapless{}, "durable.unwrapless", "no way in (a method of it panics: do not look)", false},
		"a call without a cause": {&TaskError{Activity: "A", Type: "t", Message: "m", Cause: nilTask}, "*durable.TaskError", "Activity function 'A' failed: m", false},
	} {
		d := failureDetails(c.err)
		if d.ErrorType != c.kind || !strings.HasPrefix(d.ErrorMessage, c.text) || d.NonRetriable != c.final {
			t.Errorf("%s: %s %q, final %v", name, d.ErrorType, d.ErrorMessage, d.NonRetriable)
		}
	}
	// A registered nil pointer does not come back as one, which would panic anew.
	var b *hollow
	if err := causeOf(failureDetails(nilHollow), "i"); !errors.As(err, &b) || b == nil {
		t.Errorf("came back as %#v", err)
	}
}

// Several errors of one type cross together, those that are the same once.
func TestErrorsOfOneTypeCross(t *testing.T) {
	cause := causeOf(failureDetails(errors.Join(numbered{1}, fmt.Errorf("then %w", numbered{2}), numbered{1}, errNoCover)), "i")
	for _, want := range []error{numbered{1}, numbered{2}, errNoCover} {
		if !errors.Is(cause, want) {
			t.Errorf("%v did not cross", want)
		}
	}
	var many []error
	for n := range 100 {
		many = append(many, numbered{n})
	}
	if found := registered.find(errors.Join(many...)); len(found) != sameType || string(found[15].Error) != `{"N":15}` {
		t.Errorf("of 100 errors %d are kept: %v", len(found), found)
	}
	// Through a call, too.
	called := &TaskError{Activity: "A", Type: "*errors.joinError", Message: "m", Cause: cause}
	if again := causeOf(failureDetails(called), "i"); !errors.Is(again, numbered{1}) || !errors.Is(again, numbered{2}) {
		t.Errorf("a call further up has %v", again)
	}
}

// Two types may have the same name in packages of the same name.
func TestErrorTypesOfOneName(t *testing.T) {
	types := []reflect.Type{reflect.TypeFor[*fault.Declined](), reflect.TypeFor[*other.Declined]()}
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		r := errorRegistry{values: map[string]error{}, types: map[string][]errorType{}}
		for _, i := range order {
			r.addType(types[i])
			r.addType(types[i]) // twice is once
		}
		found := r.find(errors.Join(&other.Declined{By: "B"}, &fault.Declined{By: "A"}))
		if len(found) != 2 || found[0].Type == found[1].Type {
			t.Fatalf("found %v", found)
		}
		var got []string
		for _, e := range found {
			got = append(got, r.restore(e).Error())
		}
		slices.Sort(got)
		if !slices.Equal(got, []string{"one: declined by A", "other: declined by B"}) {
			t.Errorf("came back as %q", got)
		}
		// A program that has one of the types finds that one and never takes the other for it.
		alone := errorRegistry{values: map[string]error{}, types: map[string][]errorType{}}
		alone.addType(types[1])
		for _, e := range found {
			if err := alone.restore(e); err != nil && err.Error() != "other: declined by B" {
				t.Errorf("%v came back as %v", e, err)
			}
		}
		// What was recorded before there was another type of the name comes back.
		if err := r.restore(recordedError{Type: types[0].String()}); err == nil {
			t.Error("the short name means nothing any more")
		}
	}
}

// The wait that RetryAfter asks for is recorded, also one that is over.
func TestRetryAfterIsRecorded(t *testing.T) {
	for name, c := range map[string]struct{ asked, want string }{
		"over":       {"0s", "0s"},
		"long over":  {"-5m", "0s"},
		"very short": {"1us", "1ms"},
		"odd":        {"1500us", "2ms"},
		"plain":      {"90s", "1m30s"},
	} {
		asked, err := time.ParseDuration(c.asked)
		if err != nil {
			t.Fatal(err)
		}
		d := failureDetails(RetryAfter(errors.New("429"), asked))
		if got := retryAfterOf(d); got == nil || got.String() != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := retryAfterOf(failureDetails(errors.New("429"))); got != nil {
		t.Errorf("without RetryAfter: %v", got)
	}
	if got := retryAfterOf(&history.FailureDetails{}); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}
