package determinism

import "strings"

// A rule is one check.
type rule struct {
	// id is stable: comments, pages of documentation and dashboards name it.
	id string
	// name is the rule's flag.
	name string
	// summary is what the rule reports, in a line.
	summary string
}

// The rules, by the names that the code of this package gives them.
var (
	ruleIgnore      = &rule{"DUR000", "ignore", "a durable:ignore comment that suppresses nothing, or is malformed"}
	ruleClock       = &rule{"DUR001", "clock", "the machine's clock and timers in an orchestrator"}
	ruleRandom      = &rule{"DUR002", "random", "random numbers and ids that are drawn anew in each replay"}
	ruleConcurrency = &rule{"DUR003", "concurrency", "goroutines, channels, select and locks in an orchestrator"}
	ruleMapOrder    = &rule{"DUR004", "maporder", "the order of a map that reaches a call or a result"}
	ruleIO          = &rule{"DUR005", "io", "files, network, databases, processes and clients in an orchestrator"}
	ruleEnv         = &rule{"DUR006", "env", "the environment, the machine and the command line in an orchestrator"}
	ruleLog         = &rule{"DUR007", "log", "logs and prints that every replay repeats"}
	ruleGlobal      = &rule{"DUR008", "global", "variables outside the orchestrator that change"}
	ruleContext     = &rule{"DUR009", "context", "a Context where it must not be used or kept"}
	ruleCapture     = &rule{"DUR010", "capture", "a recorded closure that writes a captured variable"}
	ruleDefer       = &rule{"DUR011", "defer", "a deferred call that uses the Context whether or not there is a failure"}
	ruleUnawaited   = &rule{"DUR012", "unawaited", "a task or its error that is dropped"}
	ruleEndless     = &rule{"DUR013", "endless", "a loop without an end, whose history only grows"}
	ruleContinue    = &rule{"DUR014", "continue", "a ContinueAsNew that is not returned"}
	ruleRecover     = &rule{"DUR015", "recover", "a failure of the engine, or a ContinueAsNew, that is swallowed"}
	ruleNames       = &rule{"DUR016", "names", "names that are invalid, given twice, or misspelt"}
	ruleTypes       = &rule{"DUR017", "types", "payloads that cannot be stored, or differ from the registration"}
	ruleMain        = &rule{"DUR018", "main", "an app that is made, filled or run in the wrong order"}
	rulePatch       = &rule{"DUR019", "patch", "patch names that are not constant, or guard two places"}
	ruleEntity      = &rule{"DUR020", "entity", "views that change state, and what a critical section must not do"}
	ruleRetry       = &rule{"DUR021", "retry", "retry policies and durations that make no sense"}
	rulePointer     = &rule{"DUR022", "pointer", "addresses, which differ in each process"}
)

var rules = []*rule{
	ruleIgnore, ruleClock, ruleRandom, ruleConcurrency, ruleMapOrder, ruleIO, ruleEnv, ruleLog, ruleGlobal, ruleContext,
	ruleCapture, ruleDefer, ruleUnawaited, ruleEndless, ruleContinue, ruleRecover, ruleNames, ruleTypes, ruleMain,
	rulePatch, ruleEntity, ruleRetry, rulePointer,
}

// pages is where the rules are documented; a page is named for its rule's id.
const pages = "https://github.com/durable-go/functions/blob/main/docs/vet/"

func (r *rule) page() string { return pages + r.id + ".md" }

func ruleOf(id string) *rule {
	for _, r := range rules {
		if r.id == id {
			return r
		}
	}
	return nil
}

// overview is the text of the analyzer's help.
func overview() string {
	var b strings.Builder
	b.WriteString("finds what breaks orchestrators of Durable Functions\n\n")
	b.WriteString("An orchestrator runs again over its history, so it must do the same each time.\n")
	b.WriteString("Each rule has a flag, and a page in docs/vet. A finding is suppressed by a comment\n")
	b.WriteString("on its line or the line above: //durable:ignore DUR003 -- reason\n\n")
	for _, r := range rules {
		b.WriteString(r.id + " " + r.name + ": " + r.summary + "\n")
	}
	return b.String()
}
