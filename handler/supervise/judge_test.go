package supervise

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeliveriesDecideWithoutASupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := NewJournal()
		begin := func(code string, deliveries int) *Run {
			run, err := j.Begin(t.Context(), parse(code), deliveries)
			if err != nil {
				t.Fatal(err)
			}
			return run
		}
		begin("act twice 0", suspectDeliveries-1).Return(false)
		run := begin("act a 0", suspectDeliveries)
		start := time.Now()
		go func() {
			time.Sleep(time.Second)
			run.Return(false)
		}()
		begin("act other 0", suspectDeliveries-1).Return(false)
		if time.Since(start) != 0 {
			t.Error("code with two deliveries waited for a trial")
		}
		begin("act b 0", blamedDeliveries-1).Return(false)
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("the second suspect waited %v, want 1s", waited)
		}
		var blamed *BlamedError
		if _, err := j.Begin(t.Context(), parse("act a 0"), blamedDeliveries); !errors.As(err, &blamed) || !strings.Contains(blamed.Reason, "30 times") {
			t.Errorf("Begin with thirty deliveries: %v, want a BlamedError that names them", err)
		}
	})
}

func TestDeliveriesNeverCountUnderASupervisor(t *testing.T) {
	c := newChild(t, "")
	if _, err := c.Begin(t.Context(), parse("act a 0"), 10*blamedDeliveries); err != nil {
		t.Errorf("Begin: %v", err)
	}
	c.holds("running act a 0")
}

func TestAccusedCodeIsSuspectAtOnce(t *testing.T) {
	c := newChild(t, "")
	_, changed := c.Suspects()
	c.Accuse(Suspect{parse("act a 0"), 2})
	c.Accuse(Suspect{parse("act a 0"), 3})
	c.Accuse(Suspect{parse("request r"), 1})
	if !c.Quarantined("a") || len(c.said) != 1 || *c.said[0].Accused != (Suspect{parse("act a 0"), 2}) {
		t.Errorf("quarantined: %v, reports %+v", c.Quarantined("a"), c.said)
	}
	if got, _ := c.Suspects(); !reflect.DeepEqual(got, []Suspect{{parse("act a 0"), 2}}) {
		t.Errorf("suspects are %+v", got)
	}
	c.Stored(parse("act a 0"))
	<-changed
	if got, _ := c.Suspects(); len(got) != 0 {
		t.Errorf("suspects are %+v", got)
	}
	c.stored("act a 0")
	alone := NewJournal()
	if alone.Accuse(Suspect{parse("act a 0"), 2}); alone.Quarantined("a") || alone.Supervised() || !c.Supervised() {
		t.Error("without a supervisor there are no trials")
	}
}

func TestMessagesWaitToBeTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChild(t, "", "turn a 0")
		taken := make(chan []Message)
		go func() {
			messages, _ := c.Takeover(t.Context())
			taken <- messages
		}()
		synctest.Wait()
		m := Message{Queue: "q", ID: "1", Receipt: "r", Body: []byte("\xff")}
		c.brief(briefing{Suspects: []Suspect{{parse("turn a 0"), 1}}, Messages: []Message{m}})
		if got := <-taken; !reflect.DeepEqual(got, []Message{m}) {
			t.Errorf("taken over: %v", got)
		}
		c.Hold(m)
		c.Divert("a", m)
		c.LetGo("1")
		c.Leave("because")
		if len(c.said) != 4 || c.said[0].Held.ID != "1" || c.said[1].Diverted.Instance != "a" || c.said[2].Gone != "1" || c.said[3].Leaving != "because" {
			t.Errorf("reports are %+v", c.said)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Takeover(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Takeover: %v, want the error of the context", err)
		}
	})
}
