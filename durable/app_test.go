package durable

import (
	"bytes"
	"log"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/durable-go/functions/handler/supervise"
)

// TestFatalErrorsAreErrors: main ends with log.Fatal of what Run returns.
func TestFatalErrorsAreErrors(t *testing.T) {
	before, out, level := slog.Default(), log.Writer(), slog.SetLogLoggerLevel(slog.LevelInfo)
	defer func() {
		slog.SetLogLoggerLevel(level)
		slog.SetDefault(before)
		log.SetOutput(out)
	}()
	var logged bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	a := &App{registry: newRegistry()}
	a.Register(testHello, testHello)
	log.Print("starting")
	log.Print(a.Run(t.Context()))
	for _, want := range []string{"level=INFO msg=starting", "level=ERROR msg=\"activity \\\"Hello\\\" is registered twice"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("%q is missing:\n%s", want, logged.String())
		}
	}
}

// TestPortInUse: without a host the user has chosen the port.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	t.Setenv("FUNCTIONS_CUSTOMHANDLER_PORT", "")
	t.Setenv("DURABLE_STANDALONE", l.Addr().String())
	s := &service{app: &App{child: &supervise.Child{}}}
	if _, _, err = s.listen(); err == nil || !strings.Contains(err.Error(), "-port") {
		t.Errorf("got %v", err)
	}
}
