package durable

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/taskhub"
)

// Registration is what App.Register takes: an orchestrator, an activity or an entity.
type Registration interface {
	register(*registry) error
}

// registry has the functions of an app. It is filled before the app runs and
// only read afterwards.
type registry struct {
	orchestrators map[string]orchestratorEntry
	activities    map[string]activityEntry
	entities      map[string]entityEntry
	versions      versioning
	// serializer makes payloads of values; nil: JSON.
	serializer Serializer
	// maxPayload is the largest payload, in bytes.
	maxPayload int
	// aroundActivities and aroundOrchestrators are the middleware, the outermost
	// first.
	aroundActivities    []func(ActivityHandler) ActivityHandler
	aroundOrchestrators []func(OrchestratorHandler) OrchestratorHandler
	// limits are the bounds of activities, by lower-case name.
	limits map[string]int
	// http, httpSleep and tokens are for CallHTTP: what makes the requests, the
	// wait between polls, and what makes tokens.
	http      *http.Client
	httpSleep time.Duration
	tokens    TokenProvider
	// retry is the policy of calls without one; nil: none.
	retry *RetryPolicy
	// observer is told of what the app does; nil: nothing is.
	observer Observer
	// client is what activities get; nil where there is none.
	client *Client
}

// add registers a function, which must be a Registration.
func (r *registry) add(f any) error {
	if isNil(f) {
		return errors.New("a function that was registered is nil: make orchestrators, activities and entities before they are registered")
	}
	return f.(Registration).register(r)
}

// isNil reports whether there is no value: nil, or a nil pointer or function behind an
// interface.
func isNil(v any) bool {
	switch of := reflect.ValueOf(v); of.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return of.IsNil()
	}
	return false
}

// clone is a registry with the same functions, to which others may be added.
func (r *registry) clone() *registry {
	c := *r
	c.entities = maps.Clone(r.entities)
	c.orchestrators, c.activities, c.limits = maps.Clone(r.orchestrators), maps.Clone(r.activities), maps.Clone(r.limits)
	return &c
}

// apply takes what the settings say about functions.
func (r *registry) apply(s settings) {
	r.versions, r.maxPayload = s.Versions, s.MaxPayload
	if s.HTTPSleep > 0 {
		r.httpSleep = s.HTTPSleep
	}
}

type orchestratorEntry struct {
	name string
	// in is the type of the input.
	in      reflect.Type
	program engine.Program
}

type activityEntry struct {
	name string
	run  activity.Func
}

type entityEntry struct {
	name string
	code *entity.Code
}

func newRegistry() *registry {
	r := &registry{maxPayload: taskhub.MaxPayload, orchestrators: map[string]orchestratorEntry{}, activities: map[string]activityEntry{}, entities: map[string]entityEntry{}, limits: map[string]int{},
		http: &http.Client{}, httpSleep: 30 * time.Second, tokens: azureTokens()}
	r.addHTTP()
	return r
}

// functionNames is the host's rule for the names of functions.
var functionNames = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_\-]{0,127}$`)

func (r *registry) addOrchestrator(name string, in reflect.Type, p engine.Program) error {
	key := strings.ToLower(name)
	if !functionNames.MatchString(name) {
		return fmt.Errorf("%q is not a name for an orchestrator: a letter, then letters, digits, _ and -", name)
	}
	if _, twice := r.orchestrators[key]; twice {
		return fmt.Errorf("orchestrator %q is registered twice (names are compared without case)", name)
	}
	r.orchestrators[key] = orchestratorEntry{name: name, in: in, program: p}
	return nil
}

func (r *registry) addActivity(name string, run activity.Func) error {
	key := strings.ToLower(name)
	if !functionNames.MatchString(name) {
		return fmt.Errorf("%q is not a name for an activity: a letter, then letters, digits, _ and -", name)
	}
	if _, twice := r.activities[key]; twice {
		return fmt.Errorf("activity %q is registered twice (names are compared without case)", name)
	}
	r.activities[key] = activityEntry{name: name, run: run}
	return nil
}

func (r *registry) addEntity(name string, code *entity.Code) error {
	key := strings.ToLower(name)
	if !functionNames.MatchString(name) {
		return fmt.Errorf("%q is not a name for an entity: a letter, then letters, digits, _ and -", name)
	}
	if _, twice := r.entities[key]; twice {
		return fmt.Errorf("entity %q is registered twice (names are compared without case)", name)
	}
	r.entities[key] = entityEntry{name: name, code: code}
	return nil
}

func (r *registry) entity(name string) (*entity.Code, error) {
	if entry, ok := r.entities[strings.ToLower(name)]; ok {
		return entry.code, nil
	}
	known := make([]string, 0, len(r.entities))
	for _, key := range slices.Sorted(maps.Keys(r.entities)) {
		known = append(known, r.entities[key].name)
	}
	return nil, unknownFunction(name, "entity", known)
}

func (r *registry) program(name, version string) (engine.Program, error) {
	if entry, ok := r.orchestrators[strings.ToLower(name)]; ok {
		return entry.program, r.versions.check(name, version)
	}
	return nil, unknownFunction(name, "orchestrator", r.knownOrchestrators())
}

func (r *registry) activity(name string) (activity.Func, error) {
	if entry, ok := r.activities[strings.ToLower(name)]; ok {
		return entry.run, nil
	}
	known := make([]string, 0, len(r.activities))
	for _, key := range slices.Sorted(maps.Keys(r.activities)) {
		if r.activities[key].name != httpActivity {
			known = append(known, r.activities[key].name)
		}
	}
	return nil, unknownFunction(name, "activity", known)
}

func (r *registry) knownOrchestrators() []string {
	known := make([]string, 0, len(r.orchestrators))
	for _, key := range slices.Sorted(maps.Keys(r.orchestrators)) {
		known = append(known, r.orchestrators[key].name)
	}
	return known
}

// unknownFunction has the official text.
func unknownFunction(name, kind string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("The function '%s' doesn't exist, is disabled, or is not an %s function. Additional info: The app has no %s functions: they are given to App.Register before App.Run.", name, kind, kind)
	}
	return fmt.Errorf("The function '%s' doesn't exist, is disabled, or is not an %s function. Additional info: The following are the known %s functions: '%s'.",
		name, kind, kind, strings.Join(known, "', '"))
}
