package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// watchEvery is how often the files of an app are looked at.
const watchEvery = 500 * time.Millisecond

// watched reports whether a change of a file matters to an app that runs.
func watched(path string) bool {
	name := filepath.Base(path)
	switch {
	case strings.HasSuffix(name, "_test.go"):
		return false
	case strings.HasSuffix(name, ".go"):
		return true
	}
	return slices.Contains([]string{"go.mod", "go.sum", "go.work", "host.json", "function.json", "local.settings.json"}, name)
}

// unwatched are folders that hold nothing of an app's sources. So are those that begin
// with a dot.
var unwatched = []string{"node_modules", "bin", "dist", "testdata", "histories"}

// fingerprint is a number that is another one when a file of the app has changed, came
// or went. What cannot be read at this moment is left out.
func fingerprint(dir string) uint64 {
	sum := fnv.New64a()
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // a file that goes away while it is looked at
		case entry.IsDir() && path != dir && (strings.HasPrefix(entry.Name(), ".") || slices.Contains(unwatched, entry.Name())):
			return fs.SkipDir
		case entry.IsDir() || !watched(path):
			return nil
		}
		if info, err := entry.Info(); err == nil {
			fmt.Fprintf(sum, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return sum.Sum64()
}

// watcher builds an app anew whenever its files have changed.
type watcher struct {
	dir string
	out io.Writer
	// built gets the path of a new program. It has room for one: the newest counts.
	built chan string
	wg    sync.WaitGroup
}

// snapshot is the files of an app as they were when its program was built.
type snapshot struct {
	dir         string
	fingerprint uint64
}

// watch begins to watch the files of an app, until ctx ends; stop waits for that.
func watch(ctx context.Context, from snapshot, every time.Duration, out io.Writer) *watcher {
	w := &watcher{dir: from.dir, out: out, built: make(chan string, 1)}
	seen := from.fingerprint
	w.wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if now := fingerprint(w.dir); now != seen {
				seen = w.settled(ctx, now, tick.C)
				w.rebuild(ctx)
			}
		}
	})
	return w
}

func (w *watcher) stop() { w.wg.Wait() }

// settled waits until nothing changes any more: an editor writes several files.
func (w *watcher) settled(ctx context.Context, seen uint64, tick <-chan time.Time) uint64 {
	for {
		select {
		case <-ctx.Done():
			return seen
		case <-tick:
		}
		now := fingerprint(w.dir)
		if now == seen {
			return seen
		}
		seen = now
	}
}

// rebuild compiles the app beside the program that runs. What does not compile leaves
// that running.
func (w *watcher) rebuild(ctx context.Context) {
	fmt.Fprintln(w.out, "Files have changed: building the app anew")
	next, err := buildInto(ctx, w.dir, handlerName("handler.next"), w.out)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		fmt.Fprintf(w.out, "%v; the app goes on as it was\n", err)
		return
	}
	select {
	case <-w.built: // a program that was not started yet is out of date
	default:
	}
	w.built <- next
}

// await waits for a program in place of one that has ended.
func (w *watcher) await(ctx context.Context, emulatorEnded <-chan struct{}, handler string) error {
	select {
	case next := <-w.built:
		return takeOver(next, handler)
	case <-emulatorEnded:
		return errEmulatorEnded
	case <-ctx.Done():
		return errStopped
	}
}

// takeOver puts a new program in the place of the one that has ended.
func takeOver(next, handler string) error {
	if err := os.Rename(next, handler); err != nil {
		return fmt.Errorf("putting the new program in its place: %w", err)
	}
	return nil
}
