package supervise

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
)

// Hold notes that this process holds a message, or holds it for another time: if
// the process dies, the next one takes it over instead of waiting until the
// message is visible.
func (j *Journal) Hold(m Message) { j.tell(report{Held: &m}) }

// LetGo notes that this process does not hold a message any more: it is removed,
// given back or lost.
func (j *Journal) LetGo(id string) { j.tell(report{Gone: id}) }

// Divert hands a message for a suspect instance to the process that tries it. The
// caller holds the message and does nothing more with it.
func (j *Journal) Divert(instance string, m Message) {
	j.tell(report{Diverted: &diverted{Instance: shortID(instance), Message: m}})
}

// Takeover waits for messages that another process held which has died, or which
// are for the instance that this process tries. The caller extends each before it
// acts on it, tells Hold, or LetGo where that fails, and diverts what is for an
// instance that is quarantined here. The error is that of ctx.
func (j *Journal) Takeover(ctx context.Context) ([]Message, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.takeover) == 0 {
		if err := j.wait(ctx); err != nil {
			return nil, err
		}
	}
	messages := j.takeover
	j.takeover = nil
	return messages, nil
}

// Leave notes that this process is about to end because somebody wants it to:
// nothing that runs in it is to blame. The supervisor starts the next one.
func (j *Journal) Leave(reason string) { j.tell(report{Leaving: reason}) }

// wordLines is how many of the last lines of user code are kept.
const wordLines = 3

// words keeps the last lines that user code has logged where the supervisor
// finds them.
type words struct {
	shared region

	mu    sync.Mutex
	lines []string // guarded by mu
}

// Say notes a line that user code has logged: if it ends the process, the reason
// names it.
func (w *words) Say(line string) {
	line = strings.TrimSpace(line)
	if w.shared == nil || line == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines[max(0, len(w.lines)-wordLines+1):], line[:min(len(line), maxLine)])
	w.shared.setWords(strings.Join(w.lines, "; "))
}

// outbox writes reports in their order. A report is out of this process when put
// returns: the next line may end it.
type outbox struct {
	mu sync.Mutex
	to io.Writer // guarded by mu
}

func (o *outbox) put(r report) {
	raw, err := json.Marshal(r)
	if err != nil {
		return // no report has what cannot be encoded
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	// Without a supervisor to read it this process is about to end.
	_, _ = o.to.Write(append(raw, '\n'))
}
