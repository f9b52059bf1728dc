package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// texts is a flag that may be there several times.
type texts []string

func (t *texts) String() string { return strings.Join(*t, ",") }

// Set adds a value.
func (t *texts) Set(value string) error {
	*t = append(*t, value)
	return nil
}

// operateOptions are the arguments of the commands that act.
type operateOptions struct {
	reach
	command string
	args    []string
	// what an operation says.
	reason, data, input, id, version, at string
	sameID, recursive, noWait, yes       bool
	tags                                 texts
	// which instances are meant, where no id is given.
	prefix, name, status, since, from, to string
	roots                                 bool
}

// usages say what follows the commands that act.
var usages = map[string]string{
	"run":       "NAME [--input JSON] [--id ID] [--version V] [--tag NAME=VALUE]... [--at TIME] [--no-wait]",
	"event":     "ID NAME [--data JSON]",
	"suspend":   "ID or filters [--reason TEXT]",
	"resume":    "ID or filters [--reason TEXT]",
	"terminate": "ID or filters [--reason TEXT] [--recursive]",
	"rewind":    "ID or filters [--reason TEXT]",
	"restart":   "ID or filters [--same-id]",
	"purge":     "ID or filters [--recursive]",
}

// operate is the command of that name.
func operate(name string) func(context.Context, []string, io.Writer) error {
	return func(ctx context.Context, args []string, out io.Writer) error {
		env, _ := appEnvironment(options{dir: "."})
		o, err := parseOperate(name, args, out, env.get("DURABLE_KEY"))
		if err != nil {
			return err
		}
		c, err := o.caller(ctx)
		if err != nil {
			return err
		}
		switch {
		case name == "run":
			return o.run(ctx, c, out)
		case len(o.args) == 0:
			return o.batch(ctx, c, out)
		}
		return o.one(ctx, c, out)
	}
}

// parseOperate reads the arguments; flags may stand before, between and behind
// the others.
func parseOperate(name string, args []string, out io.Writer, key string) (o operateOptions, err error) {
	o.command = name
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprintf(out, "usage: durable %s %s\n\n", name, usages[name])
		flags.PrintDefaults()
	}
	o.register(flags, key)
	o.flags(flags)
	for rest := args; ; {
		if err := parseFlags(flags, rest); err != nil {
			return o, err
		}
		if flags.NArg() == 0 {
			break
		}
		o.args = append(o.args, flags.Arg(0))
		rest = flags.Args()[1:]
	}
	if err := o.check(); err != nil {
		return o, err
	}
	return o, o.count()
}

func (o *operateOptions) flags(f *flag.FlagSet) {
	f.Var(&o.tags, "tag", "`NAME=VALUE`, may be repeated")
	f.StringVar(&o.version, "version", "", "version of the orchestrator")
	switch o.command {
	case "run":
		f.StringVar(&o.input, "input", "", "input, as `JSON`")
		f.StringVar(&o.id, "id", "", "instance `id` (default: a random one)")
		f.StringVar(&o.at, "at", "", "`time` before which it does not start, such as 2026-01-31T12:00:00Z")
		f.BoolVar(&o.noWait, "no-wait", false, "print the id and do not wait for the end")
		return
	case "event":
		f.StringVar(&o.data, "data", "null", "data of the event, as `JSON`")
		return
	case "restart":
		f.BoolVar(&o.sameID, "same-id", false, "under the same id, in place of the old instance")
	case "purge":
		f.BoolVar(&o.recursive, "recursive", false, "the children, too")
	case "terminate":
		f.BoolVar(&o.recursive, "recursive", false, "the children, too")
		fallthrough
	default:
		f.StringVar(&o.reason, "reason", "", "a `text` that is kept with the instance")
	}
	f.StringVar(&o.prefix, "prefix", "", "what the ids begin with")
	f.StringVar(&o.name, "name", "", "name of the orchestrator")
	f.StringVar(&o.status, "status", "", "`statuses`, separated by commas")
	f.StringVar(&o.since, "since", "", "created within this `time`, such as 1h or 7d")
	f.StringVar(&o.from, "from", "", "created from this `time` on")
	f.StringVar(&o.to, "to", "", "created until this `time`")
	f.BoolVar(&o.roots, "roots", false, "without children")
	f.BoolVar(&o.yes, "yes", false, "do it to all that match; otherwise they are counted")
}

// count checks how many arguments there are.
func (o *operateOptions) count() error {
	least, most := 0, 1
	switch o.command {
	case "run":
		least = 1
	case "event":
		least, most = 2, 2
	}
	if n := len(o.args); n < least || n > most {
		return usageError{fmt.Errorf("want: durable %s %s", o.command, usages[o.command])}
	}
	return nil
}

func (o *operateOptions) run(ctx context.Context, c *caller, out io.Writer) error {
	query := url.Values{"tag": o.tags}
	set(query, "version", o.version)
	set(query, "scheduledStartTime", o.at)
	path := "orchestrators/" + url.PathEscape(o.args[0])
	if o.id != "" {
		path += "/" + url.PathEscape(o.id)
	}
	body, err := c.send(ctx, request{method: http.MethodPost, path: path, query: query, body: o.input})
	if err != nil {
		return err
	}
	var started struct{ ID string }
	if err := json.Unmarshal(body, &started); err != nil {
		return fmt.Errorf("reading the answer to the start: %w", err)
	}
	if o.noWait {
		fmt.Fprintln(out, started.ID)
		return nil
	}
	return c.wait(ctx, started.ID, out)
}

// holdStatus is how long a request for the end of an instance is held.
const holdStatus = "wait=60"

// wait waits for the end of an instance and prints its output.
func (c *caller) wait(ctx context.Context, id string, out io.Writer) error {
	for {
		body, err := c.send(ctx, request{method: http.MethodGet, path: "instances/" + url.PathEscape(id), query: url.Values{"showInput": {"false"}}, prefer: holdStatus})
		if err != nil {
			return fmt.Errorf("instance %s: %w", id, err)
		}
		var status struct {
			RuntimeStatus string
			Output        json.RawMessage
		}
		if err := json.Unmarshal(body, &status); err != nil {
			return fmt.Errorf("instance %s: reading its status: %w", id, err)
		}
		switch status.RuntimeStatus {
		case "Completed":
			fmt.Fprintf(out, "%s\n", status.Output)
			return nil
		case "Failed", "Terminated", "Canceled":
			return fmt.Errorf("instance %s: %s: %s", id, status.RuntimeStatus, status.Output)
		}
	}
}

// one does the operation to one instance.
func (o *operateOptions) one(ctx context.Context, c *caller, out io.Writer) error {
	id := o.args[0]
	r := request{method: http.MethodPost, path: "instances/" + url.PathEscape(id) + "/" + o.command, query: url.Values{}}
	set(r.query, "reason", o.reason)
	if o.recursive {
		r.query.Set("recursive", "true")
	}
	switch o.command {
	case "event":
		r.path, r.body = "instances/"+url.PathEscape(id)+"/raiseEvent/"+url.PathEscape(o.args[1]), o.data
	case "purge":
		r.method, r.path = http.MethodDelete, "instances/"+url.PathEscape(id)
	case "restart":
		r.query.Set("restartWithNewInstanceId", strconv.FormatBool(!o.sameID))
	}
	body, err := c.send(ctx, r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", o.command, id, err)
	}
	var started struct{ ID string }
	if o.command == "restart" && json.Unmarshal(body, &started) == nil {
		fmt.Fprintln(out, started.ID)
	}
	return nil
}

// batch counts the instances that match, or does the operation to all of them.
func (o *operateOptions) batch(ctx context.Context, c *caller, out io.Writer) error {
	if o.recursive || o.sameID {
		return usageError{errors.New("--recursive and --same-id are for one instance: name its id")}
	}
	query, err := o.filter()
	if err != nil {
		return err
	}
	query.Set("dryRun", strconv.FormatBool(!o.yes))
	done := 0
	for {
		body, err := c.send(ctx, request{method: http.MethodPost, path: "batch/" + o.command, query: query})
		if err != nil {
			return err
		}
		var part struct {
			Matched, Done, Failed int
			Failures              []struct{ InstanceID, Message string }
			More                  bool
			Token                 string
		}
		if err := json.Unmarshal(body, &part); err != nil {
			return fmt.Errorf("reading the answer to the batch: %w", err)
		}
		if !o.yes {
			more := map[bool]string{true: " and more"}[part.More]
			fmt.Fprintf(out, "%d%s instances match and are in a state for it; with --yes they are changed\n", part.Matched, more)
			return nil
		}
		for _, f := range part.Failures {
			fmt.Fprintf(out, "%s: %s\n", f.InstanceID, f.Message)
		}
		done += part.Done
		if !part.More {
			fmt.Fprintf(out, "%d instances done\n", done)
			return nil
		}
		query.Set("token", part.Token)
	}
}

// filter says which instances are meant.
func (o *operateOptions) filter() (url.Values, error) {
	query := url.Values{"tag": o.tags}
	set(query, "instanceIdPrefix", o.prefix)
	set(query, "name", o.name)
	set(query, "version", o.version)
	set(query, "runtimeStatus", o.status)
	set(query, "createdTimeFrom", o.from)
	set(query, "createdTimeTo", o.to)
	if o.roots {
		query.Set("rootsOnly", "true")
	}
	if o.since != "" {
		ago, err := parseAgo(o.since)
		if err != nil {
			return nil, usageError{err}
		}
		query.Set("createdTimeFrom", time.Now().Add(-ago).UTC().Format(time.RFC3339))
	}
	return query, nil
}

func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// parseAgo reads a duration, also in days.
func parseAgo(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("--since %q: want a time such as 15m, 1h or 7d", text)
	}
	return d, nil
}
