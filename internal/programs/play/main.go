// Command play plays random programs on a running app and compares what they
// give with the model of package programs:
//
//	go run ./internal/programs/play -api http://localhost:7071/api/durabletask/ -kinds calls,waits -seeds 1..50
//
// The app has the interpreter of samples/conformance/program. It may be one of
// the official extension, whose API is at /runtime/webhooks/durabletask/.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/programs"
)

// options are what the flags say.
type options struct {
	api, kinds, seeds string
	atOnce, shrink    int
	limit, late       time.Duration
	verbose           bool
	differing         bool
}

func main() {
	var o options
	flag.StringVar(&o.api, "api", "http://localhost:7071/api/durabletask/", "the management API, with a slash at the end")
	flag.StringVar(&o.kinds, "kinds", strings.Join(slices.DeleteFunc(programs.Kinds(), programs.NeedStarter), ","), "the kinds of programs")
	flag.StringVar(&o.seeds, "seeds", "1..20", "the first and the last seed")
	flag.IntVar(&o.atOnce, "at-once", 8, "how many are played at the same time")
	flag.IntVar(&o.shrink, "shrink", 0, "how many smaller programs are tried when one differs")
	flag.DurationVar(&o.limit, "limit", time.Minute, "how long an instance may take")
	flag.DurationVar(&o.late, "late", 4*time.Second, "by how much what comes second is later")
	flag.BoolVar(&o.verbose, "v", false, "print the programs that differ")
	flag.BoolVar(&o.differing, "differing", false, "play the programs of docs/differences.md")
	flag.Parse()
	failed, err := run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

// run plays all that the options name, and reports whether some differ.
func run(ctx context.Context, o options) (failed bool, err error) {
	first, last, err := seeds(o.seeds)
	if err != nil {
		return false, err
	}
	kinds := strings.Split(o.kinds, ",")
	for _, kind := range kinds {
		if !slices.Contains(programs.Kinds(), kind) || programs.NeedStarter(kind) {
			return false, fmt.Errorf("there is no kind %q that the management API can play; there are %v", kind, programs.Kinds())
		}
	}
	p := &programs.Player{
		API: o.api, Client: http.DefaultClient, Run: "g" + strconv.FormatInt(time.Now().UnixMilli(), 36), Limit: o.limit, Poll: 60 * time.Millisecond,
	}
	if o.differing {
		for _, d := range programs.Differing() {
			fmt.Printf("%s\n%s\n%s\n\n", d.Here, d.There, differences(ctx, p, d.Test))
		}
		return false, nil
	}
	for _, kind := range kinds {
		began := time.Now()
		bad := many(ctx, p, o, kind, first, last)
		fmt.Printf("%s: %d of %d as the model says; %.0f s\n", kind, last-first+1-uint64(len(bad)), last-first+1, time.Since(began).Seconds())
		for _, seed := range slices.Sorted(slices.Values(keys(bad))) {
			failed = true
			fmt.Printf("DIFFERS %s %d\n%s\n", kind, seed, bad[seed])
		}
	}
	return failed, nil
}

func seeds(text string) (first, last uint64, err error) {
	from, to, ok := strings.Cut(text, "..")
	if !ok {
		to = from
	}
	first, err = strconv.ParseUint(from, 10, 64)
	last, failure := strconv.ParseUint(to, 10, 64)
	if err = errors.Join(err, failure); err == nil && first > last {
		err = fmt.Errorf("seeds %s: the first is after the last", text)
	}
	return first, last, err
}

func keys(m map[uint64]string) (out []uint64) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// many plays the seeds of a kind, and returns the differences of those that
// differ.
func many(ctx context.Context, p *programs.Player, o options, kind string, first, last uint64) map[uint64]string {
	var mu sync.Mutex
	bad := map[uint64]string{}
	programs.EachSeed(first, last-first+1, o.atOnce, func(seed uint64) {
		if text := one(ctx, p, o, programs.Generator{Late: o.late}.Make(kind, seed)); text != "" {
			mu.Lock()
			bad[seed] = text
			mu.Unlock()
		}
	})
	return bad
}

// one plays a test; its text is empty when the result is right.
func one(ctx context.Context, p *programs.Player, o options, test programs.Test) string {
	text := differences(ctx, p, test)
	if text == "" {
		return ""
	}
	if o.shrink > 0 {
		test = programs.Shrink(test, o.shrink, func(t programs.Test) bool { return differences(ctx, p, t) != "" })
		text += "\nthe smallest:\n" + differences(ctx, p, test)
	}
	if o.verbose || o.shrink > 0 {
		text += "\n" + programs.Show(test)
	}
	return text
}

// differences is empty when what a test gives is right.
func differences(ctx context.Context, p *programs.Player, test programs.Test) string {
	if err := p.Check(ctx, test); err != nil {
		return err.Error()
	}
	return ""
}
