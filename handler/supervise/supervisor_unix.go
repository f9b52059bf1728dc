//go:build unix

package supervise

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// canSupervise means that a listener can be handed to a child.
const canSupervise = true

const (
	// longestPause is how far the pauses between restarts grow: requests wait
	// that long for the next child.
	longestPause = time.Second
	// goodLife is how long a child has to live for the next one to start
	// without a pause.
	goodLife = 10 * time.Second
	// maxUnready is how many children in a row may die before they are ready,
	// when one was ready before.
	maxUnready = 10
	// stopPatience is how long a child may take to stop when it is told to.
	stopPatience = 30 * time.Second
	// tick is how often the supervisor looks at the trials, while there are
	// suspects.
	tick = 100 * time.Millisecond
)

// supervisor is owned by the goroutine that called Enter.
type supervisor struct {
	log      *slog.Logger
	listener *os.File
	host     int // the process that started this one
	docket   *docket
	custody  *custody[*process]
	events   chan event
	stop     chan os.Signal
	orphaned <-chan struct{}

	server *process // the child that serves everybody; nil before the next starts
	trial  *process // the child that tries an instance; nil while there is no trial
	again  time.Time

	wasReady bool // some child was
	unready  int  // children in a row that were not
	restarts int  // in a row, none of which lived long
}

// supervise runs children until it is told to stop, and returns the code to
// exit with.
func supervise(o Options) (code int) {
	s, err := newSupervisor(o)
	if err != nil {
		o.Log.Error("the handler cannot start: " + err.Error())
		return 1
	}
	for {
		if code, end := s.serve(); end {
			return code
		}
		s.try()
		s.handOut()
		wake := s.wake()
		select {
		case e := <-s.events:
			if code, end := s.handle(e); end {
				return code
			}
		case <-wake.C:
		case sig := <-s.stop:
			return s.stopAll(sig)
		case <-s.orphaned:
			s.log.Error("the process that started the handler is gone; leaving")
			return s.stopAll(syscall.SIGTERM)
		}
		wake.Stop()
	}
}

func newSupervisor(o Options) (*supervisor, error) {
	s := &supervisor{
		log: o.Log, host: os.Getppid(), docket: newDocket(), custody: newCustody[*process](), events: make(chan event),
		stop: make(chan os.Signal, 2), orphaned: parentGone(),
	}
	signal.Notify(s.stop, syscall.SIGTERM, syscall.SIGINT)
	ln, err := listen(o.Port)
	if err != nil {
		return nil, err
	}
	if s.listener, err = ln.File(); err != nil {
		return nil, fmt.Errorf("taking the listener: %w", err)
	}
	_ = ln.Close() // the copy keeps the port open
	for _, d := range takeLeftovers(s.host, time.Now()) {
		_, suspects := s.docket.died(d, time.Now())
		s.log.Error("the supervisor before this one was killed", "suspects", names(suspects))
	}
	return s, nil
}

// wake is when there is something to do, though nothing happens.
func (s *supervisor) wake() *time.Timer {
	switch {
	case s.server == nil:
		return time.NewTimer(max(time.Until(s.again), 0))
	case s.trial != nil || s.docket.anyTrial():
		return time.NewTimer(tick)
	}
	never := time.NewTimer(time.Hour)
	return never
}

// serve starts the child that serves everybody, when there is none and its time
// has come. end means that the supervisor is to exit with the code.
func (s *supervisor) serve() (code int, end bool) {
	if s.server != nil || time.Now().Before(s.again) {
		return 0, false
	}
	p, err := s.start(s.briefing("", nil))
	if err != nil {
		s.log.Error("the handler cannot start: " + err.Error())
		s.unready++
		s.pause()
		return 1, !s.wasReady || s.unready >= maxUnready
	}
	s.server = p
	return 0, false
}

func (s *supervisor) handle(e event) (code int, end bool) {
	switch {
	case e.said != nil:
		s.hear(e.from, e.said)
	case e.from == s.server:
		select {
		case <-s.stop: // it was asked for, even if the child went first
			code = s.server.code()
			s.server = nil
			s.stopAll(syscall.SIGTERM)
			return code, true
		default:
			return s.buryServer()
		}
	case e.from == s.trial:
		s.buryTrial()
	}
	return 0, false
}

// hear takes what a child reports.
func (s *supervisor) hear(p *process, r *report) {
	switch {
	case r.Leaving != "":
		p.leaving = r.Leaving
	case r.Stored != nil:
		if s.docket.acquit(*r.Stored) {
			s.log.Info("code that was suspected to have ended the process has done its work", "code", r.Stored.String())
			s.tellAll()
		}
	case r.Accused != nil:
		if s.docket.accuse(*r.Accused, time.Now()) {
			s.tellAll()
		}
	case r.Settled != nil:
		s.docket.settle(*r.Settled)
		s.tellAll()
	default:
		s.custody.hear(p, p.trial, r, time.Now())
	}
}

// briefing is what a child has to know that is for an instance, or for everybody.
func (s *supervisor) briefing(trial string, messages []Message) briefing {
	b := s.docket.briefing()
	b.Trial, b.Host, b.Messages = trial, s.host, messages
	return b
}

// tellAll tells the children what became of the suspects.
func (s *supervisor) tellAll() {
	for _, p := range []*process{s.server, s.trial} {
		if p != nil {
			p.inbox.put(s.briefing(p.trial, nil))
		}
	}
}

// buryServer deals with the death of the child that serves, which was not asked
// for.
func (s *supervisor) buryServer() (code int, end bool) {
	p := s.server
	s.server = nil
	s.custody.orphan(p)
	defer p.free()
	if p.leaving != "" {
		s.log.Info("the handler's process has ended as it said and is started again", "reason", p.leaving, "pid", p.cmd.Process.Pid)
		s.pause()
		return 0, false
	}
	if p.shared.isReady() {
		s.wasReady, s.unready = true, 0
	} else {
		s.unready++
	}
	if !s.wasReady || s.unready >= maxUnready {
		s.log.Error("the handler ended before it was ready: " + p.reason(false))
		s.stopAll(syscall.SIGTERM)
		return max(p.code(), 1), true // the host does not notice a code of 0
	}
	if time.Since(p.since) > goodLife {
		s.restarts = 0
	}
	if s.judge(p) {
		s.restarts = 0 // the cause is found
	}
	s.pause()
	return 0, false
}

// judge draws the conclusions from a death, and reports whether its cause is
// found.
func (s *supervisor) judge(p *process) bool {
	short := outOfMemory() > p.ooms && p.killed()
	reason := p.reason(short)
	guilty, suspects := s.docket.died(death{trial: p.trial, records: p.shared.records(), killed: p.killed() && !short, reason: reason}, time.Now())
	message := "the handler's process ended and is started again"
	if p.trial != "" {
		message = "the process in which suspect code ran alone has ended"
	}
	s.log.Error(message, "reason", reason, "pid", p.cmd.Process.Pid, "blamed", names(guilty), "suspects", names(suspects))
	s.tellAll()
	return len(guilty) > 0
}

// names are at most as many as a log record may have.
func names(codes []Code) (out []string) {
	const most = 20
	for _, c := range codes[:min(len(codes), most)] {
		out = append(out, c.String())
	}
	if len(codes) > most {
		out = append(out, fmt.Sprintf("and %d more", len(codes)-most))
	}
	return out
}

// pause plans the start of the next child: at once for the first one.
func (s *supervisor) pause() {
	s.again = time.Now()
	if s.restarts++; s.restarts > 1 {
		s.again = s.again.Add(min(100*time.Millisecond<<min(s.restarts-2, 10), longestPause))
	}
}

// stopAll passes a signal on and waits for the children, but not without a bound.
// A second signal ends them at once. It returns the code of the one that serves.
func (s *supervisor) stopAll(sig os.Signal) (code int) {
	code = 1
	living := map[*process]bool{}
	for _, p := range []*process{s.server, s.trial} {
		if p != nil {
			living[p] = true
			_ = p.cmd.Process.Signal(sig)
		}
	}
	patience := time.NewTimer(stopPatience)
	defer patience.Stop()
	for len(living) > 0 {
		select {
		case e := <-s.events:
			if e.said == nil {
				delete(living, e.from)
				if e.from == s.server {
					code = e.from.code()
				}
			}
			continue
		case <-s.stop:
		case <-patience.C:
		}
		for p := range living {
			_ = p.cmd.Process.Kill()
		}
	}
	return code
}
