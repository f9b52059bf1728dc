package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

var rewrite = flag.Bool("rewrite", false, "write the files in testdata anew")

// golden compares a text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./bench -rewrite writes it anew)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// report writes counts as a golden file has them. The polls of queues are left
// out: they come at their own pace.
func report(title string, counts []fake.Count, series float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d requests", title, requests(counts))
	if series > 0 {
		fmt.Fprintf(&b, ", %.4g in series", series)
	}
	b.WriteByte('\n')
	for _, c := range counts {
		if c.Operation == "get" && c.Service == "queue" {
			continue
		}
		fmt.Fprintf(&b, "  %-5s  %-20s  %-11s  %4d", c.Service, c.Target, c.Operation, c.Requests)
		if c.Service == "table" {
			fmt.Fprintf(&b, "  %5d rows", c.Rows)
		}
		if c.Failed > 0 {
			fmt.Fprintf(&b, "  %d failed", c.Failed)
		}
		b.WriteByte('\n')
	}
	return b.String() + "\n"
}

func requests(counts []fake.Count) (n int) {
	for _, c := range counts {
		if c.Operation != "get" || c.Service != "queue" {
			n += c.Requests
		}
	}
	return n
}

// historyReads counts the requests that read from the history.
func historyReads(counts []fake.Count) (n int) {
	for _, c := range counts {
		if c.Target == taskhub.HistoryTable(hubName) && (c.Operation == "get" || c.Operation == "query") {
			n += c.Requests
		}
	}
	return n
}

func completed(t *testing.T, r *rig, n int) {
	t.Helper()
	row := r.result()
	if got, err := read(row.Output); row.Status != history.Completed || err != nil || got != n {
		t.Errorf("the orchestration ended %s with %s, want %d", row.Status, row.Output, n)
	}
}

// TestChain: a chain of n costs n+4 requests, n+2 of them in series until a
// reader sees the result, and never reads its history.
func TestChain(t *testing.T) {
	var all strings.Builder
	for _, n := range []int{1, 3, 10, 100} {
		bubble(t, rigOptions{}, func(r *rig) {
			series := r.run("chain", n)
			counts := r.account.Counts()
			completed(t, r, n)
			if got := requests(counts); got != n+4 {
				t.Errorf("a chain of %d took %d requests, want %d", n, got, n+4)
			}
			if series != float64(n+2) {
				t.Errorf("a chain of %d took %v requests in series, want %d", n, series, n+2)
			}
			if reads := historyReads(counts); reads != 0 {
				t.Errorf("a chain of %d read its history %d times", n, reads)
			}
			all.WriteString(report(fmt.Sprintf("chain of %d", n), counts, series))
		})
	}
	golden(t, "chain.txt", all.String())
}

// TestFanOut: what is paid for each activity is rows, not requests.
func TestFanOut(t *testing.T) {
	var all strings.Builder
	for _, n := range []int{10, 100, 1000} {
		bubble(t, rigOptions{stagger: true}, func(r *rig) {
			r.run("fan-out", n)
			counts := r.account.Counts()
			completed(t, r, n)
			if reads := historyReads(counts); reads != 0 {
				t.Errorf("a fan-out of %d read its history %d times", n, reads)
			}
			all.WriteString(report(fmt.Sprintf("fan-out of %d", n), counts, 0))
		})
	}
	golden(t, "fan-out.txt", all.String())
}

// TestQueueDispatch: where every step goes through the queues it costs two more
// messages, which is what the official engine pays; history is still not read.
func TestQueueDispatch(t *testing.T) {
	bubble(t, rigOptions{dispatch: worker.Queue}, func(r *rig) {
		ctx, cancel := context.WithCancel(r.t.Context())
		defer cancel()
		r.worker.Poll(ctx, taskhub.ControlQueue(hubName))
		r.worker.PollActivities(ctx, taskhub.WorkItemQueue(hubName))
		r.begin("chain", 3)
		for r.result().Status != history.Completed {
			pass(time.Second)
		}
		r.settle()
		counts := r.account.Counts()
		completed(t, r, 3)
		counts = withoutInstanceReads(counts)
		golden(t, "queue-dispatch.txt", report("chain of 3 through the queues", counts, 0))
	})
}

// withoutInstanceReads leaves out the reads of the test itself.
func withoutInstanceReads(counts []fake.Count) []fake.Count {
	var out []fake.Count
	for _, c := range counts {
		if c.Operation != "get" || c.Target != taskhub.InstancesTable(hubName) {
			out = append(out, c)
		}
	}
	return out
}

// TestRestart: a worker that takes over reads the history once, in one query.
func TestRestart(t *testing.T) {
	bubble(t, rigOptions{stall: 6}, func(r *rig) {
		r.begin("chain", 10)
		r.settle()
		r.worker.Kill()
		r.start()
		r.account.Reset()
		pass(lease)
		changed, _ := r.worker.Watch("bench")
		batch, err := r.hub.Receive(r.t.Context(), taskhub.ControlQueue(hubName), 32, lease)
		r.must(err)
		for _, d := range batch {
			r.must(r.worker.Deliver(r.t.Context(), d, false))
		}
		<-changed
		r.settle()
		counts := r.account.Counts()
		completed(t, r, 10)
		if reads := historyReads(counts); reads != 1 {
			t.Errorf("the history was read %d times after the restart, want once", reads)
		}
		golden(t, "restart.txt", report("chain of 10, its process killed in the sixth activity: the rest", counts, 0))
	})
}

// TestIdle: a worker without work makes no requests.
func TestIdle(t *testing.T) {
	bubble(t, rigOptions{}, func(r *rig) {
		r.run("chain", 3)
		r.account.Reset()
		pass(time.Hour)
		if counts := r.account.Counts(); len(counts) != 0 {
			t.Errorf("an idle hour took %v", counts)
		}
	})
}

// TestGrowth: a step of a long chain sends and receives as much as one of a
// short chain.
func TestGrowth(t *testing.T) {
	perStep := func(n int) (bytes, rows float64) {
		bubble(t, rigOptions{}, func(r *rig) {
			r.run("chain", n)
			for _, c := range r.account.Counts() {
				bytes += float64(c.Sent+c.Received) / float64(n)
				rows += float64(c.Rows) / float64(n)
			}
		})
		return bytes, rows
	}
	shortBytes, shortRows := perStep(30)
	longBytes, longRows := perStep(1000)
	if longBytes > 1.1*shortBytes || longRows > 1.1*shortRows {
		t.Errorf("a step costs %.0f bytes and %.1f rows in a chain of 1,000, %.0f and %.1f in one of 30", longBytes, longRows, shortBytes, shortRows)
	}
	t.Logf("a step: %.0f bytes, %.1f rows", longBytes, longRows)
}
