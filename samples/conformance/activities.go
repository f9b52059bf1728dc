package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/samples/conformance/program"
)

// value is any JSON value, passed on as it is.
type value = json.RawMessage

var (
	hello = program.Hello
	slow  = program.Slow
	echo  = durable.NewActivity("Echo", func(_ context.Context, v value) (value, error) { return v, nil })
	big   = durable.NewActivity("Big", func(_ context.Context, size int) (string, error) {
		return strings.Repeat("x", size), nil
	})
	throw = durable.NewAction("Throw", func(_ context.Context, what string) error {
		return errors.New("boom " + what)
	})
	throwString = durable.NewAction("ThrowString", func(context.Context, durable.None) error {
		return errors.New("just a string")
	})
	returnUndefined = durable.NewAction("ReturnUndefined", func(context.Context, durable.None) error { return nil })
	sleep20         = durable.NewActivity("Sleep20", runSleep20)
	flagFail        = durable.NewActivity("FlagFail", runFlagFail)
	flaky           = durable.NewActivity("Flaky", runFlaky)
)

var activities = []durable.Registration{echo, big, throw, throwString, returnUndefined, sleep20, flagFail, flaky}

// pause says how long Slow runs and what it returns.
type pause = program.Pause

// flag is the path of a flag file.
func flag(name string) string {
	dir := os.Getenv("FLAGS")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "durable-flags")
	}
	return filepath.Join(dir, filepath.Base(name))
}

// runSleep20 stands for real work: it waits for 20 ms, and ends early with its context.
func runSleep20(ctx context.Context, _ string) (int, error) {
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 1, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// runFlagFail fails for as long as there is a file of that name.
func runFlagFail(_ context.Context, name string) (string, error) {
	if _, err := os.Stat(flag(name)); err == nil {
		return "", errors.New("flag is set: " + name)
	}
	return "flag clear", nil
}

// attempts says which call of Flaky is the first that works.
type attempts struct {
	Key   string `json:"key"`
	Times int    `json:"times"`
}

// runFlaky counts its calls in a file.
func runFlaky(_ context.Context, a attempts) (string, error) {
	file := flag("flaky-" + a.Key)
	raw, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	n, _ := strconv.Atoi(string(raw))
	n++
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(file, []byte(strconv.Itoa(n)), 0o644); err != nil {
		return "", err
	}
	if n < a.Times {
		return "", fmt.Errorf("flaky %d", n)
	}
	return fmt.Sprintf("ok after %d", n), nil
}
