package supervise

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// parse reads a code as the tables here have it: "turn a 3", "act a 0",
// "request r".
func parse(text string) (c Code) {
	var kind string
	if rest, ok := strings.CutPrefix(text, "request "); ok {
		return Code{Kind: Request, Execution: rest}
	}
	if rest, ok := strings.CutPrefix(text, "entity "); ok {
		c.Kind = Entity
		c.Instance, c.Execution, _ = strings.Cut(rest, " ")
		return c
	}
	if _, err := fmt.Sscan(text, &kind, &c.Instance, &c.Position); err != nil {
		panic(text + ": " + err.Error())
	}
	c.Kind, c.Execution = map[string]Kind{"turn": Turn, "act": Activity}[kind], "x"
	return c
}

func show(c Code) string {
	switch c.Kind {
	case Request:
		return "request " + c.Execution
	case Entity:
		return "entity " + c.Instance + " " + c.Execution
	}
	return fmt.Sprint(map[Kind]string{Turn: "turn", Activity: "act"}[c.Kind], " ", c.Instance, " ", c.Position)
}

func showAll(suspects []Suspect) (out []string) {
	for _, s := range suspects {
		out = append(out, show(s.Code))
	}
	return out
}

// step is something that happens to the children of a supervisor, and what the
// supervisor knows after it.
type step struct {
	after time.Duration
	// ran is what the journal of a child held that died: "running act a 0",
	// separated by commas. trial is the instance that was alone in it.
	ran    string
	died   bool
	trial  string
	killed bool
	// Or the outcome of this code was stored, its failure, or the trial of this
	// instance was cut short.
	stored, settled, cut string
	// Or another instance of the app suspects it of one death.
	accused string

	suspects []string
	blamed   []string // "code: death n"
	// next is the instance whose trial begins now; "" where nothing does, and then
	// wait is how long until one does.
	next string
	wait time.Duration
}

func (s step) records() (out []record) {
	for part := range strings.SplitSeq(s.ran, ", ") {
		how, what, found := strings.Cut(part, " ")
		if found {
			states := map[string]state{"running": running, "trial": trial, "returned": returned, "behind": behind, "broke": broke}
			out = append(out, record{state: states[how], code: parse(what)})
		}
	}
	return out
}

func (s step) on(d *docket, reason string, now time.Time) {
	switch {
	case s.died:
		d.died(death{trial: s.trial, records: s.records(), killed: s.killed, reason: reason}, now)
	case s.stored != "":
		d.acquit(parse(s.stored))
	case s.settled != "":
		d.settle(parse(s.settled))
	case s.accused != "":
		d.accuse(Suspect{Code: parse(s.accused), Deaths: 1}, now)
	case s.cut != "":
		d.cutShort(s.cut, now)
	default:
		d.expire(now)
	}
}

var docketCases = map[string][]step{
	"nothing ran": {{died: true}},
	"all that ran is suspect, also what has returned and is not stored": {
		{died: true, ran: "running act a 0, running turn b 3, returned act c 1, running act a 0",
			suspects: []string{"act a 0", "turn b 3", "act c 1"}, next: "a"},
	},
	"a second death alone convicts, and frees the others of the first": {
		{died: true, ran: "running act a 0, running act b 0", suspects: []string{"act a 0", "act b 0"}, next: "a"},
		{died: true, trial: "a", ran: "running act a 0", blamed: []string{"act a 0: death 2"}},
	},
	"one death alone is not enough, but the second comes at once": {
		{died: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, trial: "a", ran: "running turn a 5", suspects: []string{"act a 0", "turn a 5"}, next: "a"},
		{died: true, trial: "a", ran: "running turn a 5", blamed: []string{"turn a 5: death 3"}},
	},
	"a second death among others proves nothing": {
		{died: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, ran: "running act b 0", suspects: []string{"act a 0", "act b 0"}, next: "a"},
	},
	"what it did is stored: it is free, and so is nobody else": {
		{died: true, ran: "running act a 0, running act b 0", suspects: []string{"act a 0", "act b 0"}, next: "a"},
		{stored: "act a 0", suspects: []string{"act b 0"}, next: "b"},
	},
	"another turn of the same instance frees no turn": {
		{died: true, ran: "running turn a 7", suspects: []string{"turn a 7"}, next: "a"},
		{stored: "turn a 1", suspects: []string{"turn a 7"}, next: "a"},
	},
	"a verdict explains the deaths at which the code ran, and no other": {
		{died: true, ran: "running act a 0, running act b 0", suspects: []string{"act a 0", "act b 0"}, next: "a"},
		{died: true, ran: "running act c 0, running act d 0", suspects: []string{"act a 0", "act b 0", "act c 0", "act d 0"}, next: "a"},
		{died: true, trial: "c", ran: "running act c 0", suspects: []string{"act a 0", "act b 0"}, blamed: []string{"act c 0: death 3"}, next: "a"},
	},
	"SIGKILL from outside is followed by a trial": {
		{died: true, killed: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
	},
	"SIGKILL counts at the third time alone": {
		{died: true, killed: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, killed: true, trial: "a", ran: "running act a 0", suspects: []string{"act a 0"}, wait: firstTrial},
		{died: true, after: firstTrial, killed: true, trial: "a", ran: "running act a 0", suspects: []string{"act a 0"}, wait: 2 * firstTrial},
		{died: true, after: 2 * firstTrial, killed: true, trial: "a", ran: "running act a 0", blamed: []string{"act a 0: death 4"}},
	},
	"SIGKILLs among others never convict": {
		{died: true, killed: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, killed: true, ran: "running act b 0", suspects: []string{"act a 0", "act b 0"}, next: "a"},
		{died: true, killed: true, ran: "running act b 0", suspects: []string{"act a 0", "act b 0"}, next: "b"},
	},
	"too much memory counts as any other death": {
		{died: true, ran: "running act a 0, running act b 0", suspects: []string{"act a 0", "act b 0"}, next: "a"},
		{died: true, trial: "b", ran: "running act b 0", blamed: []string{"act b 0: death 2"}},
	},
	"after a SIGKILL and an exit alone it is to blame": {
		{died: true, killed: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, trial: "a", ran: "running act a 0", blamed: []string{"act a 0: death 2"}},
	},
	"back-off and the time of trials double with each death": {
		{died: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, trial: "a", suspects: []string{"act a 0"}, wait: firstTrial},
		{died: true, trial: "a", suspects: []string{"act a 0"}, wait: 2 * firstTrial},
		{died: true, trial: "a", suspects: []string{"act a 0"}, wait: 4 * firstTrial},
		{cut: "a", suspects: []string{"act a 0"}, wait: 8 * firstTrial},
		{cut: "a", suspects: []string{"act a 0"}, wait: 16 * firstTrial},
		{cut: "a", suspects: []string{"act a 0"}, wait: 32 * firstTrial},
		{cut: "a", suspects: []string{"act a 0"}, wait: longestBackOff},
		{cut: "a", suspects: []string{"act a 0"}, wait: longestBackOff},
	},
	"the trial goes on with others while one backs off": {
		{died: true, ran: "running act a 0, running act b 0", suspects: []string{"act a 0", "act b 0"}, next: "a"},
		{cut: "a", suspects: []string{"act a 0", "act b 0"}, next: "b"},
		{stored: "act b 0", suspects: []string{"act a 0"}, wait: firstTrial},
	},
	"who was at most deaths is tried first": {
		{died: true, ran: "running request r, running act b 0", suspects: []string{"request r", "act b 0"}, next: "b"},
		{died: true, ran: "running act a 0", suspects: []string{"request r", "act a 0", "act b 0"}, next: "a"},
		{died: true, ran: "running act b 0", suspects: []string{"request r", "act a 0", "act b 0"}, next: "b"},
	},
	"code that returned before it was stored is to blame when nothing else ran": {
		{died: true, ran: "returned act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, trial: "a", ran: "returned act a 0", blamed: []string{"act a 0: death 2"}},
	},
	"what runs comes before what has returned": {
		{died: true, ran: "returned act a 0, running turn a 2", suspects: []string{"act a 0", "turn a 2"}, next: "a"},
		{died: true, trial: "a", ran: "returned act a 0, running turn a 2", blamed: []string{"turn a 2: death 2"}},
	},
	"of two that returned the one that was there before is to blame": {
		{died: true, ran: "returned act a 1", suspects: []string{"act a 1"}, next: "a"},
		{died: true, trial: "a", ran: "returned act a 0, returned act a 1, returned turn a 3", blamed: []string{"act a 1: death 2"}},
	},
	"of two that are always there together it is the activity, in the end": {
		{died: true, ran: "returned turn a 0, returned act a 0", suspects: []string{"act a 0", "turn a 0"}, next: "a"},
		{died: true, trial: "a", ran: "returned turn a 0, returned act a 0", suspects: []string{"act a 0", "turn a 0"}, wait: firstTrial},
		{died: true, trial: "a", ran: "returned turn a 0, returned act a 0", blamed: []string{"act a 0: death 3"}},
	},
	"code that has closed what the process needs comes before all else": {
		{died: true, ran: "broke turn a 0, running act b 0", suspects: []string{"turn a 0", "act b 0"}, next: "a"},
		{died: true, trial: "a", ran: "returned act a 0, broke turn a 0, running turn a 3", blamed: []string{"turn a 0: death 2"}},
	},
	"code that runs comes before what has returned, though that was there before": {
		{died: true, ran: "returned act a 0, running turn a 0", suspects: []string{"act a 0", "turn a 0"}, next: "a"},
		{stored: "turn a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, trial: "a", ran: "returned act a 0, running turn a 4", suspects: []string{"act a 0", "turn a 4"}, next: "a"},
		{died: true, trial: "a", ran: "returned act a 0, running turn a 4", blamed: []string{"turn a 4: death 4"}},
	},
	"of the operations of an entity the one that runs is to blame, and no other": {
		{died: true, ran: "returned entity a r1, running entity a r2", suspects: []string{"entity a r1", "entity a r2"}, next: "a"},
		{died: true, trial: "a", ran: "returned entity a r1, running entity a r2", blamed: []string{"entity a r2: death 2"}},
		{settled: "entity a r1", blamed: []string{"entity a r2: death 2"}},
		{settled: "entity a r2"},
	},
	"an operation that is stored frees no other": {
		{died: true, ran: "returned entity a r1, running entity a r2", suspects: []string{"entity a r1", "entity a r2"}, next: "a"},
		{stored: "entity a r1", suspects: []string{"entity a r2"}, next: "a"},
	},
	"what was given up is not suspect where other code runs": {
		{died: true, ran: "behind turn a 2, running act b 0", suspects: []string{"act b 0"}, next: "b"},
	},
	"what was given up is to blame when nothing else can be": {
		{died: true, ran: "behind turn a 2", blamed: []string{"turn a 2: death 1"}},
	},
	"what was given up is suspect of a SIGKILL": {
		{died: true, killed: true, ran: "behind turn a 2", suspects: []string{"turn a 2"}, next: "a"},
	},
	"of two that were given up each is suspect": {
		{died: true, ran: "behind turn a 2, behind turn b 2", suspects: []string{"turn a 2", "turn b 2"}, next: "a"},
	},
	"an orchestration that fails takes its activities with it": {
		{died: true, ran: "running turn a 2, running act a 0", suspects: []string{"act a 0", "turn a 2"}, next: "a"},
		{died: true, ran: "running act b 0", suspects: []string{"act a 0", "turn a 2", "act b 0"}, next: "a"},
		{died: true, trial: "a", ran: "running turn a 2", suspects: []string{"act b 0"}, blamed: []string{"turn a 2: death 3"}, next: "b"},
	},
	"a request is tried where requests are served": {
		{died: true, ran: "running request r, running act a 0", suspects: []string{"request r", "act a 0"}, next: "a"},
		{died: true, ran: "trial request r, running act b 0", blamed: []string{"request r: death 2"}},
	},
	"a request on trial is not to blame for one SIGKILL": {
		{died: true, ran: "running request r", suspects: []string{"request r"}},
		{died: true, killed: true, ran: "trial request r", suspects: []string{"request r"}},
		{died: true, killed: true, ran: "trial request r, running act b 0", suspects: []string{"request r", "act b 0"}, next: "b"},
		{died: true, killed: true, ran: "trial request r", blamed: []string{"request r: death 4"}},
	},
	"blame is forgotten when the failure is stored": {
		{died: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, trial: "a", ran: "running act a 0", blamed: []string{"act a 0: death 2"}},
		{settled: "act a 0"},
	},
	"blame lasts until then": {
		{died: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, trial: "a", ran: "running act a 0", blamed: []string{"act a 0: death 2"}},
		{died: true, after: time.Hour, ran: "running act b 0", suspects: []string{"act b 0"}, blamed: []string{"act a 0: death 2"}, next: "b"},
	},
	"what another instance of the app suspects does not begin anew": {
		{accused: "act a 0", suspects: []string{"act a 0"}, next: "a"},
		{accused: "act a 0", suspects: []string{"act a 0"}, next: "a"},
		{died: true, trial: "a", ran: "running act a 0", blamed: []string{"act a 0: death 3"}},
	},
	"suspicion of what does not come again fades": {
		{died: true, ran: "running act a 0", suspects: []string{"act a 0"}, next: "a"},
		{after: suspicion, suspects: []string{"act a 0"}, next: "a"},
		{after: 1},
	},
	"suspicion of a request fades sooner": {
		{died: true, ran: "running request r", suspects: []string{"request r"}},
		{after: requestSuspicion, suspects: []string{"request r"}},
		{after: 1},
	},
}

func TestDocket(t *testing.T) {
	for name, steps := range docketCases {
		t.Run(name, func(t *testing.T) {
			d, now := newDocket(), time.Unix(0, 0)
			have := func(string) bool { return true }
			for i, s := range steps {
				now = now.Add(s.after)
				s.on(d, fmt.Sprint("death ", i+1), now)
				var blamed []string
				told := d.briefing()
				for _, v := range told.Blamed {
					blamed = append(blamed, show(v.Code)+": "+v.Reason)
				}
				if got := showAll(told.Suspects); !reflect.DeepEqual(got, s.suspects) || !reflect.DeepEqual(blamed, s.blamed) {
					t.Fatalf("after step %d: suspects %q, blamed %q; want %q, %q", i+1, got, blamed, s.suspects, s.blamed)
				}
				next, at := d.next(now, have)
				wait := time.Duration(0)
				if next == "" && !at.IsZero() {
					wait = at.Sub(now)
				}
				if next != s.next || wait != s.wait {
					t.Fatalf("after step %d: the next trial is of %q in %v, want %q in %v", i+1, next, wait, s.next, s.wait)
				}
			}
		})
	}
}

func TestTrialsNeedMessages(t *testing.T) {
	d, now := newDocket(), time.Unix(0, 0)
	d.died(death{records: step{ran: "running act a 0, running act b 0"}.records()}, now)
	if next, _ := d.next(now, func(instance string) bool { return instance == "b" }); next != "b" {
		t.Errorf("the next trial is of %q, want b: there is nothing to try a with", next)
	}
	if next, at := d.next(now, func(string) bool { return false }); next != "" || !at.IsZero() {
		t.Errorf("the next trial is of %q at %v, want none", next, at)
	}
}

// Each trial that is cut short lets code run longer the next time, so that what
// takes an hour ends some day.
func TestTrialsGrowLonger(t *testing.T) {
	d, now := newDocket(), time.Unix(0, 0)
	d.died(death{records: step{ran: "running act a 0"}.records()}, now)
	for want := firstTrial; want < 12*time.Hour; want *= 2 {
		if got := d.limit("a"); got != want {
			t.Fatalf("the limit is %v, want %v", got, want)
		}
		d.cutShort("a", now)
	}
}

func TestDocketForgetsTheOldestBlame(t *testing.T) {
	d := newDocket()
	for i := range maxBlamed + 2 {
		d.convict(Code{Kind: Request, Execution: fmt.Sprint(i)}, "exit code 1", time.Unix(int64(i), 0))
	}
	d.expire(time.Unix(maxBlamed+2, 0))
	if _, known := d.blamed[Code{Kind: Request, Execution: "1"}]; known || len(d.blamed) != maxBlamed {
		t.Errorf("%d blames are kept, the second oldest among them: %v; want %d without it", len(d.blamed), known, maxBlamed)
	}
}

func TestVerdictsCover(t *testing.T) {
	cases := []struct {
		verdict, code string
		want          bool
	}{
		{"turn a 3", "turn a 3", true},
		{"turn a 3", "turn a 4", true}, // it would repeat the third first
		{"turn a 3", "turn a 2", false},
		{"turn a 3", "turn b 3", false},
		{"turn a 3", "act a 3", false},
		{"act a 3", "act a 3", true},
		{"act a 3", "act a 4", false},
		{"entity a 3", "entity a 5", false},
		{"request r", "request r", true},
		{"request r", "request s", false},
	}
	for _, c := range cases {
		if got := parse(c.verdict).covers(parse(c.code)); got != c.want {
			t.Errorf("a verdict on %s covers %s: %v, want %v", c.verdict, c.code, got, c.want)
		}
	}
	other := parse("turn a 5")
	other.Execution = "y"
	if parse("turn a 3").covers(other) {
		t.Error("a verdict covers another execution")
	}
}

func TestEndOfATrial(t *testing.T) {
	for name, c := range map[string]struct {
		sight trialSight
		want  trialEnd
	}{
		"an acquitted instance":                        {trialSight{handed: true, holds: true}, trialOver},
		"a suspect that has a message":                 {trialSight{suspect: true, others: true, handed: true, holds: true, age: 9 * time.Second}, trialGoesOn},
		"one that takes its time while others wait":    {trialSight{suspect: true, others: true, handed: true, holds: true, age: 11 * time.Second}, trialCut},
		"one that takes its time":                      {trialSight{suspect: true, handed: true, holds: true, age: time.Hour}, trialGoesOn},
		"one that was given nothing yet":               {trialSight{suspect: true, others: true, age: time.Second}, trialGoesOn},
		"one that has lost what it was given":          {trialSight{suspect: true, others: true, handed: true, age: time.Second}, trialOver},
		"the same, and no other waits":                 {trialSight{suspect: true, handed: true, age: time.Second}, trialGoesOn},
		"code that runs though its message is not its": {trialSight{suspect: true, others: true, handed: true, runs: true, age: time.Second}, trialGoesOn},
		"one that nothing comes for":                   {trialSight{suspect: true, age: 6 * time.Second}, trialIdle},
		"the same, and others wait":                    {trialSight{suspect: true, others: true, age: 6 * time.Second}, trialIdle},
		"code that runs on without its message":        {trialSight{suspect: true, handed: true, runs: true, age: 6 * time.Second}, trialCut},
	} {
		c.sight.limit = firstTrial
		if got := c.sight.judge(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
