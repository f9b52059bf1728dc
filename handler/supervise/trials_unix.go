//go:build unix

package supervise

import (
	"syscall"
	"time"
)

// handOut gives messages that no child holds to the one they are for.
func (s *supervisor) handOut() {
	for _, p := range []*process{s.server, s.trial} {
		if p == nil || !p.stopping.IsZero() || len(s.custody.loose) == 0 {
			continue
		}
		messages := s.custody.give(p, func(instance string) bool {
			if instance != "" && s.docket.isSuspect(instance) {
				return p.trial == instance
			}
			return p.trial == ""
		}, time.Now())
		if len(messages) > 0 {
			p.handed = true
			p.inbox.put(s.briefing(p.trial, messages))
		}
	}
}

// trialStops is how long the end of a trial may take.
const trialStops = 15 * time.Second

// try begins and ends trials.
func (s *supervisor) try() {
	now := time.Now()
	if s.trial == nil {
		if instance, _ := s.docket.next(now, func(i string) bool { return s.custody.has(i, now) }); instance != "" && s.server != nil {
			s.beginTrial(instance)
		}
		return
	}
	p := s.trial
	if !p.stopping.IsZero() {
		if now.Sub(p.stopping) > trialStops {
			_ = p.cmd.Process.Kill()
		}
		return
	}
	others := func(instance string) bool { return instance != p.trial && s.custody.has(instance, now) }
	next, _ := s.docket.next(now, others)
	switch (trialSight{
		suspect: s.docket.isSuspect(p.trial), others: next != "", age: now.Sub(p.since), limit: s.docket.limit(p.trial),
		handed: p.handed, holds: s.custody.owns(p, now), runs: !p.shared.isEmpty(),
	}).judge() {
	case trialGoesOn:
		return
	case trialCut:
		s.docket.cutShort(p.trial, now)
	case trialIdle:
		s.docket.backOff(p.trial, false, now)
	case trialOver:
	}
	s.endTrial()
}

func (s *supervisor) beginTrial(instance string) {
	p, err := s.start(s.briefing(instance, nil))
	if err != nil {
		s.log.Error("suspect code cannot be tried: "+err.Error(), "instance", instance)
		s.docket.cutShort(instance, time.Now())
		return
	}
	s.log.Info("code that is suspected to have ended the process runs alone", "instance", instance, "pid", p.cmd.Process.Pid)
	s.trial = p
}

// endTrial asks the child to stop: it gives its messages back.
func (s *supervisor) endTrial() {
	s.trial.stopping = time.Now()
	_ = s.trial.cmd.Process.Signal(syscall.SIGTERM)
}

func (s *supervisor) buryTrial() {
	p := s.trial
	s.trial = nil
	s.custody.orphan(p)
	defer p.free()
	switch {
	case !p.stopping.IsZero():
	case !p.shared.isReady() && len(p.shared.records()) == 0:
		// Code may end the process before that has said that it is ready.
		s.log.Error("suspect code cannot be tried: a second process of the program ended before it was ready", "instance", p.trial, "reason", p.reason(false))
		s.docket.cutShort(p.trial, time.Now())
	case p.leaving != "":
		s.docket.cutShort(p.trial, time.Now())
	default:
		s.judge(p)
	}
}
