package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// progress is a line on a terminal that is written over as something goes on. It is
// on the standard error output, and only where that is a terminal, so that results
// and logs have nothing of it.
type progress struct {
	w     io.Writer // nil where nothing is shown
	shown bool
}

func newProgress(cmd *cobra.Command) *progress {
	if w := cmd.ErrOrStderr(); isTerminal(w) {
		return &progress{w: w}
	}
	return &progress{}
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// say replaces the line.
func (p *progress) say(format string, args ...any) {
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
		p.shown = true
	}
}

// end removes the line. It may be called again.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
