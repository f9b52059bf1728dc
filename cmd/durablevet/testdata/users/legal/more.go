package legal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"github.com/durable-go/functions/durable"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"
)

var re = regexp.MustCompile(`^\d+$`)
var tpl = template.Must(template.New("x").Parse("{{.}}"))

type Order struct {
	ID    string
	Lines []struct {
		SKU string
		N   int
	}
	At   time.Time
	Meta map[string]any
}

var Ship = durable.NewActivity("Ship", func(_ context.Context, o Order) (string, error) { return o.ID, nil })

var C1 = durable.NewOrchestrator("C1", func(ctx *durable.Context, o Order) (string, error) {
	if !re.MatchString(o.ID) {
		return "", fmt.Errorf("bad id %q", o.ID)
	}
	var b strings.Builder
	if err := tpl.Execute(&b, o.ID); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(b.String()))
	u, err := url.Parse("https://x/" + hex.EncodeToString(sum[:]))
	if err != nil {
		return "", err
	}
	n, _ := strconv.Atoi(o.ID)
	r := rand.New(rand.NewPCG(uint64(n), 2))
	_ = r.IntN(5)
	o.ID = u.String()
	return Ship.Call(ctx, o).Await()
})

var cacheMu sync.Mutex

// saga with compensation in a defer that looks at the failure
var C2 = durable.NewOrchestrator("C2", func(ctx *durable.Context, o Order) (out string, err error) {
	defer func() {
		if err != nil {
			_, _ = Ship.Call(ctx, Order{ID: "undo"}).Await()
		}
	}()
	return Ship.Call(ctx, o).Await()
})

// worker type with many methods
type approval struct {
	ctx   *durable.Context
	order Order
	seen  map[string]bool
}

func (a *approval) step(name string) error {
	if a.seen[name] {
		return nil
	}
	a.seen[name] = true
	_, err := Ship.Call(a.ctx, a.order).Await()
	return err
}

var C3 = durable.NewOrchestrator("C3", func(ctx *durable.Context, o Order) (string, error) {
	a := &approval{ctx: ctx, order: o, seen: map[string]bool{}}
	for _, s := range []string{"a", "b"} {
		if err := a.step(s); err != nil {
			return "", err
		}
	}
	return fmt.Sprint(len(a.seen)), nil
})

// retry loop by hand
var C4 = durable.NewOrchestrator("C4", func(ctx *durable.Context, o Order) (string, error) {
	for try := 1; ; try++ {
		s, err := Ship.Call(ctx, o).Await()
		if err == nil {
			return s, nil
		}
		if try == 5 {
			return "", err
		}
		if err := ctx.Sleep(time.Duration(try) * time.Second); err != nil {
			return "", err
		}
	}
})

// step that writes a local of its own and uses context
var C5 = durable.NewOrchestrator("C5", func(ctx *durable.Context, o Order) (string, error) {
	id := ctx.InstanceID()
	return durable.Step(ctx, "s", func(c context.Context) (string, error) {
		local := ""
		local += id
		<-c.Done()
		return local + time.Now().String(), nil
	}).Await()
})

// range over map values to sum floats? order matters for floats; max is fine
var C6 = durable.NewOrchestrator("C6", func(ctx *durable.Context, in map[string]int) (string, error) {
	best, n := "", -1
	for k, v := range in {
		if v > n || v == n && k < best {
			best, n = k, v
		}
	}
	return best, nil
})

var C7 = durable.NewOrchestrator("C7", func(ctx *durable.Context, in []string) (string, error) {
	g := ctx.Rand()
	g.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
	done := 0
	var wg durable.WaitGroup
	for _, s := range in {
		wg.Go(ctx, func(ctx *durable.Context) error {
			_, err := Ship.Call(ctx, Order{ID: s}).Await()
			if err == nil {
				done++
			}
			return err
		})
	}
	return fmt.Sprint(done), wg.Wait()
})
