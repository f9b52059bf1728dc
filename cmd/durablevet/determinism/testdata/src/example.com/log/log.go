// Package log says things.
package log

import (
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/durable-go/functions/durable"
)

var logger = slog.Default()

type service struct{ log *slog.Logger }

func Bad(ctx *durable.Context) {
	log.Println("x")        // want `DUR007 log: log.Println in an orchestrator: use ctx.Logger`
	slog.Info("x", "a", 1)  // want `slog.Info in an orchestrator`
	fmt.Println("x")        // want `fmt.Println in an orchestrator`
	fmt.Fprintln(os.Stderr) // want `os.Stderr in an orchestrator`
	println("x")            // want `println in an orchestrator`
	logger.Info("x")        // want `a logger of its own in an orchestrator`
	say("x")                // want `say calls fmt.Println`
}

// What a replay leaves out may be said anywhere.
func once(ctx *durable.Context) {
	if !ctx.IsReplaying() {
		log.Println("x")
		say("x")
		_ = os.Getenv("X") // want `os.Getenv in an orchestrator`
	}
	if ctx.IsReplaying() {
		log.Println("x") // want `log.Println in an orchestrator`
	}
}

func say(s string) { fmt.Println(s) }

func (s *service) Good(ctx *durable.Context) string {
	l := ctx.Logger().With("a", 1)
	l.Info("x")
	ctx.Logger().Info("x", slog.Int("a", 1))
	return fmt.Sprint("x", fmt.Errorf("y"))
}

func ordinary() { slog.Info("x") }
