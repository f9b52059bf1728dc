//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/samples/conformance/program"
)

// tries counts the calls of FailTimes of all processes, in a folder: a run that a crash
// repeats is no new call, one that a rewind repeats is. A file "rewound-PLAY-*" of the
// folder is a rewind of a play, whose name stands in the keys of its activities.
type tries struct{ folder string }

func (t tries) run(ctx context.Context, f program.Failures) (program.Value, error) {
	n, err := t.number(f.Key, durable.ActivityInfoFromContext(ctx).IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return f.Call(n)
}

// number is which of a key's calls one is: a line of the key's file is a call.
func (t tries) number(key, call string) (n int, err error) {
	lock, err := os.OpenFile(filepath.Join(t.folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return 0, err
	}
	rewinds, err := filepath.Glob(filepath.Join(t.folder, "rewound-*"))
	if err != nil {
		return 0, err
	}
	rewinds = slices.DeleteFunc(rewinds, func(name string) bool {
		play, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(name), "rewound-"), "-")
		return !strings.HasPrefix(key, play+"-")
	})
	file := filepath.Join(t.folder, fmt.Sprintf("%x", sha256.Sum256([]byte(key))))
	raw, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	calls, line := strings.Fields(string(raw)), fmt.Sprintf("%s-%d", call, len(rewinds))
	if i := slices.Index(calls, line); i >= 0 {
		return i + 1, nil
	}
	calls = append(calls, line)
	return len(calls), os.WriteFile(file, []byte(strings.Join(calls, "\n")), 0o600)
}
