package durable

import (
	"fmt"
	"strings"
)

// LimitConcurrency is a registration of the activity that bounds how many runs
// of it there are at the same time in each process of the app, at least 1: for
// services that bear only so much. The receiver is not changed. Calls that find
// no room wait, without holding up other activities; calls that have waited long
// are offered to other processes of the app, which have room of their own. For a
// bound over all processes use Map with WithMaxConcurrency in one orchestration.
func (a *Activity[In, Out]) LimitConcurrency(n int) Registration { return capped{a, n} }

// LimitConcurrency is [Activity.LimitConcurrency] for an activity that Implement
// made.
func LimitConcurrency(activity Registration, n int) Registration { return capped{activity, n} }

type capped struct {
	Registration
	n int
}

// boundable is a registration that can have a bound.
type boundable interface{ activityName() string }

func (a *Activity[In, Out]) activityName() string { return a.name }

func (l capped) register(r *registry) error {
	a, ok := l.Registration.(boundable)
	if ok && isNil(a) {
		return r.add(a)
	}
	if !ok {
		return fmt.Errorf("only an activity can have a concurrency limit, not a %T", l.Registration)
	}
	if l.n < 1 {
		return fmt.Errorf("activity %q: a concurrency limit of %d makes no sense: it must be at least 1", a.activityName(), l.n)
	}
	if err := r.add(l.Registration); err != nil {
		return err
	}
	r.limits[strings.ToLower(a.activityName())] = l.n
	return nil
}

// limit is the bound of an activity, for the worker; nil when none has one.
func (r *registry) limit() func(name string) int {
	if len(r.limits) == 0 {
		return nil
	}
	return func(name string) int { return r.limits[strings.ToLower(name)] }
}
