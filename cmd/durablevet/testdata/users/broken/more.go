package broken

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os/exec"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/durable"
)

// embedded clock in generic struct
type box[T any] struct{ v T }

func (b box[T]) at() time.Time { return time.Now() }

var D1 = durable.NewOrchestrator("D1", func(ctx *durable.Context, _ durable.None) (string, error) {
	return box[int]{}.at().String(), nil // DUR001
})

// deferred time
var D2 = durable.NewOrchestrator("D2", func(ctx *durable.Context, _ durable.None) (string, error) {
	defer func(t time.Time) { fmt.Println(time.Since(t)) }(time.Now()) // DUR001 DUR007
	return "", nil
})

// atomic global
var hits atomic.Int64

var D3 = durable.NewOrchestrator("D3", func(ctx *durable.Context, _ durable.None) (int64, error) {
	return hits.Add(1), nil // DUR003
})

// net dial & exec
var D4 = durable.NewOrchestrator("D4", func(ctx *durable.Context, a string) (string, error) {
	c, err := net.Dial("tcp", a) // DUR005
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	if err != nil {
		return "", err
	}
	out, err := exec.Command("date").Output() // DUR005
	return string(b) + string(out), err
})

// time.Time.Local / zone
var D5 = durable.NewOrchestrator("D5", func(ctx *durable.Context, _ durable.None) (string, error) {
	return ctx.Now().Local().String() + fmt.Sprint(runtime.NumCPU()), nil // DUR006
})

// map values collected
var D6 = durable.NewOrchestrator("D6", func(ctx *durable.Context, in map[string]string) ([]string, error) {
	return slices.Collect(maps.Values(in)), nil // DUR004
})

// first of a map
var D7 = durable.NewOrchestrator("D7", func(ctx *durable.Context, in map[string]string) (string, error) {
	for k := range in { // DUR004
		return k, nil
	}
	return "", nil
})

// string built from a map
var D8 = durable.NewOrchestrator("D8", func(ctx *durable.Context, in map[string]string) (string, error) {
	s := ""
	for k := range in { // DUR004
		s += k
	}
	return Work.Call(ctx, s).Await()
})

// helper with Context in another func type, passing around functions
func retry(ctx *durable.Context, f func() error) error {
	for range 3 {
		if err := f(); err == nil {
			return nil
		}
		time.Sleep(time.Second) // DUR001
	}
	return nil
}

var D9 = durable.NewOrchestrator("D9", func(ctx *durable.Context, in string) (string, error) {
	return "", retry(ctx, func() error { _, err := exec.LookPath(in); return err }) // DUR005
})

// recover that swallows
var D10 = durable.NewOrchestrator("D10", func(ctx *durable.Context, in string) (out string, err error) {
	defer func() { recover() }() // DUR015
	return Work.Call(ctx, in).Await()
})

// goroutine awaiting a task
var D11 = durable.NewOrchestrator("D11", func(ctx *durable.Context, in string) (string, error) {
	t := Work.Call(ctx, in)
	res := make(chan string)
	go func() { s, _ := t.Await(); res <- s }() // DUR003
	return <-res, nil                           // DUR003
})

// client inside an orchestrator
var theClient *durable.Client

var D12 = durable.NewOrchestrator("D12", func(ctx *durable.Context, in string) (string, error) {
	s, err := theClient.Status(context.Background(), in) // DUR005
	if err != nil {
		return "", err
	}
	return s.Name, nil
})

// endless
var D13 = durable.NewOrchestrator("D13", func(ctx *durable.Context, in string) (string, error) {
	for { // DUR013
		if _, err := Work.Call(ctx, in).Await(); err != nil {
			continue
		}
		_ = ctx.Sleep(time.Minute)
	}
})

// package-level func var
var nowFunc = time.Now

var D15 = durable.NewOrchestrator("D15", func(ctx *durable.Context, in string) (string, error) {
	return nowFunc().String(), nil // DUR001
})

// function passed as value
func apply(f func() time.Time) string { return f().String() }

var D16 = durable.NewOrchestrator("D16", func(ctx *durable.Context, in string) (string, error) {
	return apply(time.Now), nil // DUR001
})

// struct literal field func called immediately
var D17 = durable.NewOrchestrator("D17", func(ctx *durable.Context, in string) (string, error) {
	d := struct{ now func() time.Time }{time.Now} // DUR001
	return d.now().String(), nil
})
