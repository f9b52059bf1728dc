package durable

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

// settings are what the section extensions.durableTask of host.json says. The
// names are those of the official extension where it has the setting.
type settings struct {
	HubName             string
	OrchestratorSlots   int
	ActivitySlots       int
	Lease               time.Duration
	DispatchQueue       bool
	Cache               int
	MaxActions          int
	FailNonDeterminism  bool
	StrictReplay        bool
	HTTPSleep           time.Duration
	SharedHub           bool
	LocalBudget         *time.Duration
	StoreInputs         bool
	MaxPoisonDeliveries int
	MaxPayload          int
	MaxWaiting          int
	BaseURL             string
	LinkLifetime        time.Duration
	TrustForwarded      bool
	BodyWithin          time.Duration
	Versions            versioning
	// DashboardActions lets the dashboard act; nil: where the app does not run
	// in Azure.
	DashboardActions *bool
	// LogEnds logs the end of every orchestration; nil: where the app does not run in
	// Azure.
	LogEnds  *bool
	TraceURL string
	// Partitions is 0 where host.json has no partitionCount.
	Partitions int
}

// defaultHub is the hub of an app whose host.json names none. It is what the
// Core Tools' "func durable" commands look for then.
const defaultHub = "DurableFunctionsHub"

// known has a parser for every setting that means something to us. Keys are
// compared without case, as the host does.
var known = map[string]func(*settings, json.RawMessage) error{
	"hubName":                            func(s *settings, v json.RawMessage) error { return parseInto(v, &s.HubName) },
	"maxConcurrentOrchestratorFunctions": func(s *settings, v json.RawMessage) error { return parseCount(v, &s.OrchestratorSlots) },
	"maxConcurrentActivityFunctions":     func(s *settings, v json.RawMessage) error { return parseCount(v, &s.ActivitySlots) },
	"maxOrchestrationActions":            func(s *settings, v json.RawMessage) error { return parseCount(v, &s.MaxActions) },
	"cachedInstances":                    func(s *settings, v json.RawMessage) error { return parseCount(v, &s.Cache) },
	"maxDequeueCount":                    func(s *settings, v json.RawMessage) error { return parseCount(v, &s.MaxPoisonDeliveries) },
	"maxPayload":                         parsePayload,
	"maxWaitingEvents":                   func(s *settings, v json.RawMessage) error { return parseCount(v, &s.MaxWaiting) },
	"managementBaseUrl":                  parseBaseURL,
	"linkLifetime":                       parseLifetime,
	"logCompletions":                     parseLogCompletions,
	"dashboardActions":                   parseDashboardActions,
	"dashboardTraceUrl":                  parseTraceURL,
	"sharedHub":                          func(s *settings, v json.RawMessage) error { return parseBool(v, &s.SharedHub) },
	"storeInputsInOrchestrationHistory":  func(s *settings, v json.RawMessage) error { return parseBool(v, &s.StoreInputs) },
	"dispatch":                           parseDispatch,
	"defaultVersion":                     func(s *settings, v json.RawMessage) error { return parseInto(v, &s.Versions.current) },
	"versionMatchStrategy":               parseVersionMatch,
	"versionFailureStrategy":             parseVersionFailure,
	"nonDeterminism":                     parseNonDeterminism,
	"strictReplay":                       func(s *settings, v json.RawMessage) error { return parseBool(v, &s.StrictReplay) },
	"httpSettings.defaultAsyncRequestSleepTimeMilliseconds": parseHTTPSleep,
	"httpSettings.bodyTimeout":                              parseBodyTimeout,
	"localBudget":                                           parseBudget,
	"trustForwardedHeaders":                                 func(s *settings, v json.RawMessage) error { return parseBool(v, &s.TrustForwarded) },
	"storageProvider.type":                                  parseProvider,
	"storageProvider.partitionCount":                        parsePartitions,
	"storageProvider.controlQueueVisibilityTimeout":         parseLease,
	"storageProvider.connectionName":                        parseConnection,
	"storageProvider.connectionStringName":                  parseConnection,
	"azureStorageConnectionStringName":                      parseConnection,
}

// hubNames is the rule for names of task hubs (they become names of tables and
// queues).
var hubNames = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{2,44}$`)

// parseSettings reads the section. unknown are the keys, in order, that have no
// effect here.
func parseSettings(section json.RawMessage) (s settings, unknown []string, err error) {
	s = settings{HubName: defaultHub, Lease: 30 * time.Second, MaxPoisonDeliveries: 5, MaxPayload: taskhub.MaxPayload, MaxWaiting: taskhub.MaxWaiting, MaxActions: worker.DefaultMaxActions}
	flat := map[string]json.RawMessage{}
	if err := flatten("", section, flat); err != nil {
		return s, nil, fmt.Errorf("host.json: extensions.durableTask: %w", err)
	}
	keys := make([]string, 0, len(flat))
	for key := range flat {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		parse := known[knownName(key)]
		if parse == nil {
			unknown = append(unknown, key)
			continue
		}
		if err := parse(&s, flat[key]); err != nil {
			return s, nil, fmt.Errorf("host.json: extensions.durableTask.%s: %w", key, err)
		}
	}
	if !hubNames.MatchString(s.HubName) {
		return s, nil, fmt.Errorf("host.json: extensions.durableTask.hubName: %q is not a task hub name: a letter, then 2 to 44 letters or digits (settings like %%TaskHub%% are not resolved here)", s.HubName)
	}
	return s, unknown, nil
}

// worker are the options of a worker that the settings and the functions say.
func (s settings) worker(r *registry) worker.Options {
	o := worker.Options{
		Programs: r.program, Activities: r.activity, Entities: r.entity, Lease: s.Lease,
		OrchestratorSlots: s.OrchestratorSlots, ActivitySlots: s.ActivitySlots, Cache: s.Cache,
		MaxActions: s.MaxActions, MaxPayload: s.MaxPayload, MaxWaiting: s.MaxWaiting, FailNonDeterministic: s.FailNonDeterminism,
		Strict: s.StrictReplay, Limit: r.limit(), Observer: r.observer,
	}
	if s.DispatchQueue {
		o.Dispatch = worker.Queue
	}
	return o
}

func parseLogCompletions(s *settings, raw json.RawMessage) error {
	s.LogEnds = new(bool)
	return parseBool(raw, s.LogEnds)
}

// flatten makes dotted keys of nested objects.
func flatten(prefix string, raw json.RawMessage, out map[string]json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return fmt.Errorf("%s is not an object: %w", strings.TrimSuffix(prefix, "."), err)
	}
	for key, value := range members {
		name := prefix + key
		if trimmed := strings.TrimSpace(string(value)); strings.HasPrefix(trimmed, "{") && (strings.EqualFold(key, "storageProvider") || strings.EqualFold(key, "httpSettings")) {
			if err := flatten(name+".", value, out); err != nil {
				return err
			}
			continue
		}
		out[name] = value
	}
	return nil
}

func parseInto(raw json.RawMessage, to *string) error {
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("%s is not a string", raw)
	}
	return nil
}

// parseCount reads a positive number, also as a string: settings that come from
// the environment are strings.
func parseCount(raw json.RawMessage, to *int) error {
	n, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	if err != nil || n < 1 {
		return fmt.Errorf("%s is not a positive whole number", raw)
	}
	*to = n
	return nil
}

func parseBool(raw json.RawMessage, to *bool) error {
	b, err := strconv.ParseBool(strings.ToLower(strings.Trim(string(raw), `"`)))
	if err != nil {
		return fmt.Errorf("%s is neither true nor false", raw)
	}
	*to = b
	return nil
}

func parseChoice(raw json.RawMessage, choices ...string) (string, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || !slices.Contains(choices, strings.ToLower(text)) {
		return "", fmt.Errorf("%s is not one of %s", raw, strings.Join(choices, ", "))
	}
	return strings.ToLower(text), nil
}

func parseDispatch(s *settings, raw json.RawMessage) error {
	choice, err := parseChoice(raw, "local", "queue")
	s.DispatchQueue = choice == "queue"
	return err
}

func parseNonDeterminism(s *settings, raw json.RawMessage) error {
	choice, err := parseChoice(raw, "park", "fail")
	s.FailNonDeterminism = choice == "fail"
	return err
}

func parseHTTPSleep(s *settings, raw json.RawMessage) error {
	var milliseconds int
	if err := parseCount(raw, &milliseconds); err != nil {
		return err
	}
	if s.HTTPSleep = time.Duration(milliseconds) * time.Millisecond; s.HTTPSleep > 24*time.Hour {
		return fmt.Errorf("%d milliseconds are more than a day", milliseconds)
	}
	return nil
}

func parseBodyTimeout(s *settings, raw json.RawMessage) error {
	d, err := parseSpan(raw)
	if err == nil && (d < time.Second || d > time.Hour) {
		err = fmt.Errorf("%s is not between 1 second and 1 hour", raw)
	}
	s.BodyWithin = d
	return err
}

func parseVersionMatch(s *settings, raw json.RawMessage) error {
	choice, err := parseChoice(raw, "none", "strict", "currentorolder")
	s.Versions.match = choice
	return err
}

func parseVersionFailure(s *settings, raw json.RawMessage) error {
	choice, err := parseChoice(raw, "reject", "fail")
	s.Versions.fail = choice == "fail"
	return err
}

func parseProvider(_ *settings, raw json.RawMessage) error {
	_, err := parseChoice(raw, "azurestorage")
	return err
}

func parsePartitions(s *settings, raw json.RawMessage) error {
	if err := parseCount(raw, &s.Partitions); err != nil {
		return err
	}
	if s.Partitions != 1 {
		return fmt.Errorf("%d: there is one control queue, so partitionCount must be 1", s.Partitions)
	}
	return nil
}

// noPartitions warns of an app whose host.json has no partitionCount.
const noPartitions = `host.json: set "storageProvider": {"partitionCount": 1} in extensions.durableTask: without it the "func durable" commands ` +
	`spread what they send (raise-event, terminate, start-new ...) over four control queues, of which this app reads one`

func parseConnection(_ *settings, raw json.RawMessage) error {
	_, err := parseChoice(raw, "azurewebjobsstorage", "storage")
	if err != nil {
		return fmt.Errorf("%s: the task hub is kept in AzureWebJobsStorage", raw)
	}
	return nil
}

func parseLease(s *settings, raw json.RawMessage) error {
	d, err := parseSpan(raw)
	if err == nil && (d < time.Second || d > time.Hour) {
		err = fmt.Errorf("%s is not between 1 second and 1 hour", raw)
	}
	s.Lease = d
	return err
}

// Bounds of the setting maxPayload, in bytes: what fits a column always, and
// what a process can hold several of.
const (
	leastPayload = 16 << 10
	mostPayload  = 100 << 20
)

func parsePayload(s *settings, raw json.RawMessage) error {
	if err := parseCount(raw, &s.MaxPayload); err != nil {
		return err
	}
	if s.MaxPayload < leastPayload || s.MaxPayload > mostPayload {
		return fmt.Errorf("%d is not between %d and %d bytes", s.MaxPayload, leastPayload, mostPayload)
	}
	return nil
}

func parseBudget(s *settings, raw json.RawMessage) error {
	d, err := parseSpan(raw)
	s.LocalBudget = &d
	return err
}

// span is the [d.]hh:mm:ss[.fraction] form of durations in host.json.
var span = regexp.MustCompile(`^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?$`)

func parseSpan(raw json.RawMessage) (time.Duration, error) {
	var text string
	match := []string(nil)
	if json.Unmarshal(raw, &text) == nil {
		match = span.FindStringSubmatch(text)
	}
	if match == nil {
		return 0, fmt.Errorf("%s is not a duration of the form hh:mm:ss", raw)
	}
	number := func(i int) time.Duration {
		n, _ := strconv.Atoi("0" + match[i])
		return time.Duration(n)
	}
	fraction, _ := strconv.Atoi((match[5] + "0000000")[:7])
	return number(1)*24*time.Hour + number(2)*time.Hour + number(3)*time.Minute + number(4)*time.Second +
		time.Duration(fraction)*100*time.Nanosecond, nil
}
