package broken

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"maps"
	mrand "math/rand"
	"net/http"
	"os"
	"sync"
	"time"

	"example.com/users/helper"
	"github.com/durable-go/functions/durable"
)

var Work = durable.NewActivity("Work", func(_ context.Context, s string) (string, error) { return s, nil })

// 1 helper in another package
var A1 = durable.NewOrchestrator("A1", func(ctx *durable.Context, _ durable.None) (string, error) {
	return Work.Call(ctx, helper.Indirect()).Await() // DUR001
})

// 2 rand via a method value
var A2 = durable.NewOrchestrator("A2", func(ctx *durable.Context, _ durable.None) (int, error) {
	d := helper.NewDice() // DUR001
	roll := d.Roll        // DUR002
	return roll(), nil
})

// 2b function value of the stdlib
var A2b = durable.NewOrchestrator("A2b", func(ctx *durable.Context, _ durable.None) (int64, error) {
	now := time.Now // DUR001
	return now().Unix(), nil
})

// 3 map range with activities
var A3 = durable.NewOrchestrator("A3", func(ctx *durable.Context, in map[string]string) (int, error) {
	for k, v := range in { // DUR004
		if _, err := Work.Call(ctx, k+v).Await(); err != nil {
			return 0, err
		}
	}
	return 0, nil
})

// 3b map range into tasks via helper closure
var A3b = durable.NewOrchestrator("A3b", func(ctx *durable.Context, in map[string]string) ([]string, error) {
	var tasks []*durable.Task[string]
	start := func(s string) { tasks = append(tasks, Work.Call(ctx, s)) }
	for k := range in { // DUR004
		start(k)
	}
	return durable.All(tasks...)
})

// 3c maps.Keys
var A3c = durable.NewOrchestrator("A3c", func(ctx *durable.Context, in map[string]string) ([]string, error) {
	var tasks []*durable.Task[string]
	for k := range maps.Keys(in) { // DUR004
		tasks = append(tasks, Work.Call(ctx, k))
	}
	return durable.All(tasks...)
})

// 4 go statement in a child function
func spawn(ctx *durable.Context, wg *sync.WaitGroup) {
	wg.Add(1)                       // DUR003
	go func() { defer wg.Done() }() // DUR003
}

var A4 = durable.NewOrchestrator("A4", func(ctx *durable.Context, _ durable.None) (int, error) {
	var wg sync.WaitGroup
	spawn(ctx, &wg)
	wg.Wait() // DUR003
	return 0, nil
})

// 4b goroutine in a helper without Context
func parallel(fs ...func()) {
	done := make(chan struct{})
	for _, f := range fs {
		go func() { f(); done <- struct{}{} }()
	}
	for range fs {
		<-done
	}
}

var A4b = durable.NewOrchestrator("A4b", func(ctx *durable.Context, _ durable.None) (int, error) {
	n := 0
	parallel(func() { n++ }, func() { n++ }) // DUR003
	return n, nil
})

// 5 channel
var A5 = durable.NewOrchestrator("A5", func(ctx *durable.Context, _ durable.None) (int, error) {
	c := make(chan int, 1)
	c <- 1          // DUR003
	return <-c, nil // DUR003
})

// 7 http
var A7 = durable.NewOrchestrator("A7", func(ctx *durable.Context, u string) (int, error) {
	resp, err := http.DefaultClient.Get(u) // DUR005
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
})

// 7b via helper
var A7b = durable.NewOrchestrator("A7b", func(ctx *durable.Context, u string) (int, error) { return helper.Fetch(u) }) // DUR005

// 8 env
var A8 = durable.NewOrchestrator("A8", func(ctx *durable.Context, u string) (string, error) {
	if os.Getenv("X") == "1" { // DUR006
		return helper.Region(), nil // DUR006
	}
	return "", nil
})

// 9 lanes writing a captured variable
var A9 = durable.NewOrchestrator("A9", func(ctx *durable.Context, _ durable.None) (string, error) {
	last := ""
	a := durable.Step(ctx, "a", func(context.Context) (string, error) { last = "a"; return "", nil }) // DUR010
	if _, err := a.Await(); err != nil {
		return "", err
	}
	return last, nil
})

// 11 rand with seed from time; crypto/rand
var A11 = durable.NewOrchestrator("A11", func(ctx *durable.Context, _ durable.None) (int, error) {
	r := mrand.New(mrand.NewSource(time.Now().UnixNano())) // DUR001
	b := make([]byte, 4)
	_, _ = rand.Read(b) // DUR002
	return r.Intn(3) + int(b[0]), nil
})

// 12 global counter
var counter int

var A12 = durable.NewOrchestrator("A12", func(ctx *durable.Context, _ durable.None) (int, error) {
	counter++           // DUR008
	return counter, nil // DUR008
})

// 13 sync.Once, log
var once sync.Once

var A13 = durable.NewOrchestrator("A13", func(ctx *durable.Context, _ durable.None) (int, error) {
	once.Do(func() { log.Println("first") }) // DUR003 DUR007
	fmt.Println("x")                         // DUR007
	return 0, nil
})

// 14 context.WithTimeout, select
var A14 = durable.NewOrchestrator("A14", func(ctx *durable.Context, _ durable.None) (int, error) {
	c, cancel := context.WithTimeout(context.Background(), time.Second) // DUR001
	defer cancel()
	select { // DUR003
	case <-c.Done():
	default:
	}
	return 0, nil
})

// 15 unawaited
var A15 = durable.NewOrchestrator("A15", func(ctx *durable.Context, _ durable.None) (int, error) {
	Work.Call(ctx, "x") // DUR012
	return 0, nil
})

// 16 map order in a returned slice
var A16 = durable.NewOrchestrator("A16", func(ctx *durable.Context, in map[string]int) ([]string, error) {
	var out []string
	for k := range in { // DUR004
		out = append(out, k)
	}
	return out, nil
})

// 17 generic helper
func pick[T any](xs []T) T { return xs[mrand.Intn(len(xs))] }

var A17 = durable.NewOrchestrator("A17", func(ctx *durable.Context, in []string) (string, error) {
	return Work.Call(ctx, pick(in)).Await() // DUR002
})

// 18 swallowed continue as new
var A18 = durable.NewOrchestrator("A18", func(ctx *durable.Context, n int) (int, error) {
	if n < 3 {
		durable.ContinueAsNew[int](ctx, n+1) // DUR014
	}
	return n, nil
})

// 19 file read through io/fs & os.DirFS; error compare
var A19 = durable.NewOrchestrator("A19", func(ctx *durable.Context, n string) (string, error) {
	b, err := os.ReadFile(n) // DUR005
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return string(b), err
})

// 20 time.Since in Go lane; wait in lanes
var A20 = durable.NewOrchestrator("A20", func(ctx *durable.Context, n string) (string, error) {
	t := durable.Go(ctx, func(ctx *durable.Context) (string, error) {
		began := ctx.Now()
		time.Sleep(time.Second)                // DUR001
		return time.Since(began).String(), nil // DUR001
	})
	return t.Await()
})

// 22 ctx in a Step
var A22 = durable.NewOrchestrator("A22", func(ctx *durable.Context, n string) (string, error) {
	return durable.Step(ctx, "s", func(context.Context) (string, error) { return ctx.InstanceID(), nil }).Await() // DUR009
})

// 24 pointers as text
var A24 = durable.NewOrchestrator("A24", func(ctx *durable.Context, n string) (string, error) {
	x := &n
	return Work.Call(ctx, fmt.Sprintf("%p", x)).Await() // DUR022
})
