//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/e2e/host"
	"github.com/durable-go/functions/internal/hubcheck"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// shortLease lets a process that was killed be replaced soon.
var shortLease = map[string]any{"storageProvider": map[string]any{"partitionCount": 1, "controlQueueVisibilityTimeout": "00:00:05"}}

// pastLease is how long a process is stopped: longer than its lease.
const pastLease = 7 * time.Second

// havoc kills and stops two hosts of one hub in turns, and takes storage away, until
// stop. Of the first one, which clients ask, it kills or stops the process that runs the
// code; of the other one it kills all.
type havoc struct {
	asked, other *host.Host
	proxies      map[string]*proxy
	// every is the time between two incidents, away how long storage is away, once a minute.
	every, away time.Duration

	ends chan struct{}
	done sync.WaitGroup
	// What was done, and what could not be: read after stop.
	kills, hosts, pauses, outages, restarts int
	errs                                    []error
}

func (h *havoc) start() {
	h.ends = make(chan struct{})
	h.done.Go(func() {
		lastOutage := time.Now()
		for n := 0; h.wait(h.every); n++ {
			switch {
			case time.Since(lastOutage) > time.Minute && h.away > 0:
				h.outage()
				lastOutage = time.Now()
			case n%4 == 1:
				h.killHost()
			case n%8 == 7:
				h.child(h.pause)
			default:
				h.child(h.kill)
			}
		}
	})
}

// wait lets time pass, and reports whether it goes on.
func (h *havoc) wait(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-h.ends:
		return false
	}
}

func (h *havoc) outage() {
	for _, p := range h.proxies {
		p.set(true)
	}
	h.wait(h.away)
	for _, p := range h.proxies {
		p.set(false)
	}
	h.outages++
}

// child does something to the process with the code of the first host. A host that
// gave up, as its handler ended too often, is started again.
func (h *havoc) child(does func(pid int) error) {
	_, child, err := h.asked.Pair()
	if err == nil {
		err = does(child)
	}
	h.note(err)
	if !h.asked.Alive() {
		h.restarts++
		h.note(h.asked.Start())
	}
}

func (h *havoc) kill(pid int) error {
	h.kills++
	return syscall.Kill(pid, syscall.SIGKILL)
}

func (h *havoc) pause(pid int) error {
	h.pauses++
	err := syscall.Kill(pid, syscall.SIGSTOP)
	h.wait(pastLease)
	return errors.Join(err, syscall.Kill(pid, syscall.SIGCONT))
}

func (h *havoc) killHost() {
	h.hosts++
	h.note(h.other.Kill())
	h.note(h.other.Start())
}

func (h *havoc) note(err error) {
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		h.errs = append(h.errs, fmt.Errorf("after %d kills: %w", h.kills+h.hosts, err))
	}
}

// stop ends it, and shows what it has done.
func (h *havoc) stop(t *testing.T) {
	t.Helper()
	close(h.ends)
	h.done.Wait()
	t.Logf("killed: %d processes with code, %d whole hosts; stopped for %v: %d; storage was away %d times; a host that had given up was started %d times",
		h.kills, h.hosts, pastLease, h.pauses, h.outages, h.restarts)
	if err := errors.Join(h.errs...); err != nil || h.kills < 2 || h.hosts < 1 {
		t.Errorf("%d kills of processes and %d of hosts, %v", h.kills, h.hosts, err)
	}
}

// hubIsSound checks that no history, row, message or blob of a hub is damaged, and that
// no instance waits for what does not come.
func hubIsSound(t *testing.T, connection, name string) {
	t.Helper()
	report, err := hubcheck.Run(bounded(t), name, hubtest.Open(t, connection, name, nil), hubcheck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("hub check: %d instances, %d findings", report.Instances, len(report.Findings))
	for _, f := range report.Findings {
		switch f.Severity {
		case hubcheck.Damage, hubcheck.Waiting:
			t.Errorf("%s %s: %s %s", f.Kind, f.Instance, f.Place, f.What)
		case hubcheck.Debris, hubcheck.Note:
		}
	}
}
