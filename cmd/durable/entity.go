package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newEntityCommand() *cobra.Command {
	return newGroup("entity", "lists, shows, asks and cleans entities",
		newEntityListCommand(), newEntityShowCommand(), newEntitySignalCommand(), newEntityCallCommand(),
		newEntityDeleteCommand(), newEntityCleanCommand())
}

// entityPath is the path of the entity that the first arguments name, NAME KEY or
// @name@key, and what follows them.
func entityPath(args []string) (path string, rest []string, err error) {
	name, key, rest := "", "", args
	if id, whole := strings.CutPrefix(args[0], "@"); whole {
		var found bool
		if name, key, found = strings.Cut(id, "@"); !found {
			return "", nil, usageError{fmt.Errorf("%q: want NAME KEY, or @name@key", args[0])}
		}
		rest = args[1:]
	} else if len(args) > 1 {
		name, key, rest = args[0], args[1], args[2:]
	}
	if name == "" {
		return "", nil, usageError{fmt.Errorf("%q: want NAME KEY, or @name@key", args)}
	}
	if key == "" {
		key = "$" // as the API writes the empty key
	}
	return "entities/" + url.PathEscape(name) + "/" + url.PathEscape(key), rest, nil
}

// onEntity is a command about one entity. least is how many arguments stand behind
// its name.
func onEntity(use, short string, behind int, r *reach, run func(cmd *cobra.Command, c *caller, path string, rest []string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: want(1+behind, 2+behind),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, rest, err := entityPath(args)
			if err == nil && len(rest) != behind {
				err = usageError{fmt.Errorf("want: %s, got %q", cmd.UseLine(), args)}
			}
			if err == nil {
				err = r.check()
			}
			if err != nil {
				return err
			}
			c, err := r.caller(cmd.Context())
			if err != nil {
				return err
			}
			return run(cmd, c, path, rest)
		},
	}
	r.register(cmd.Flags())
	return cmd
}

func newEntityShowCommand() *cobra.Command {
	var r reach
	f := asTable
	cmd := onEntity("show NAME KEY", "shows an entity: its state, lock, backlog and last operations", 0, &r,
		func(cmd *cobra.Command, c *caller, path string, _ []string) error {
			return c.showEntity(cmd.Context(), path, f, cmd.OutOrStdout())
		})
	cmd.Example = "  durable entity show Account alice\n  durable entity show @account@alice -o json | jq .state"
	f.register(cmd)
	return cmd
}

// entity is an entity as the management API tells of it.
type entity struct {
	EntityID          struct{ Name, Key string }
	LastOperationTime *time.Time
	Exists            bool
	Waiting           int
	LockedBy, Error   string
	State             *payload
	Lock              *struct {
		Owner, Section string
		Since          *time.Time
		Orphan         bool
	}
	Backlog []struct {
		Kind, Operation, By string
		Stored, Due         *time.Time
	}
	Operations []struct {
		Operation, By, Error string
		At                   *time.Time
	}
}

func (e *entity) id() string { return "@" + e.EntityID.Name + "@" + e.EntityID.Key }

func (c *caller) showEntity(ctx context.Context, path string, f form, out io.Writer) error {
	body, err := c.send(ctx, request{method: http.MethodGet, path: path + "/details"})
	if err != nil {
		return err
	}
	var e entity
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if f == asJSON || f == asLines {
		whole, err := c.withState(ctx, path, body, e.Exists)
		switch {
		case err != nil:
			return err
		case f == asJSON:
			return indented(out, whole)
		}
		return lines(out, []json.RawMessage{whole})
	}
	return facts(out, e.facts())
}

// withState puts the state itself into the details of an entity.
func (c *caller) withState(ctx context.Context, path string, body []byte, exists bool) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if exists {
		state, err := c.send(ctx, request{method: http.MethodGet, path: path})
		if err != nil {
			return nil, err
		}
		members["state"] = state
	}
	return json.Marshal(members)
}

func (e *entity) facts() [][2]string {
	exists := map[bool]string{true: "", false: "no"}[e.Exists]
	pairs := [][2]string{{"Entity", e.id()}, {"Exists", exists}, {"Last operation", moment(e.LastOperationTime)}, {"State", e.State.String()}}
	if l := e.Lock; l != nil {
		orphan := map[bool]string{true: ", which does not run any more"}[l.Orphan]
		pairs = append(pairs, [2]string{"Locked by", l.Owner + " since " + moment(l.Since) + orphan})
	}
	for _, w := range e.Backlog {
		pairs = append(pairs, [2]string{"Waits", words(w.Kind, w.Operation, before("by", w.By), before("since", moment(w.Stored)), before("due", moment(w.Due)))})
	}
	if more := e.Waiting - len(e.Backlog); more > 0 && len(e.Backlog) > 0 {
		pairs = append(pairs, [2]string{"Waits", fmt.Sprintf("and %d more", more)})
	}
	for _, o := range e.Operations {
		pairs = append(pairs, [2]string{"Has run", words(o.Operation, before("by", o.By), before("at", moment(o.At)), before("failed:", o.Error))})
	}
	return append(pairs, [2]string{"Error", e.Error})
}

// words joins those that are not empty.
func words(all ...string) string { return strings.Join(strings.Fields(strings.Join(all, " ")), " ") }

// before puts a word before a text that is not empty.
func before(word, text string) string {
	if text == "" {
		return ""
	}
	return word + " " + text
}

func newEntitySignalCommand() *cobra.Command {
	var r reach
	var input string
	cmd := onEntity("signal NAME KEY OPERATION", "asks an entity for an operation, without an answer", 1, &r,
		func(cmd *cobra.Command, c *caller, path string, rest []string) error {
			body, err := given(input, cmd.InOrStdin())
			if err != nil {
				return err
			}
			_, err = c.send(cmd.Context(), request{method: http.MethodPost, path: path, query: url.Values{"op": rest}, body: body})
			return err
		})
	cmd.Example = "  durable entity signal Account alice Deposit --input 100"
	cmd.Flags().StringVar(&input, "input", "", "input, as `JSON`; @FILE reads a file, - the standard input")
	return cmd
}

func newEntityCallCommand() *cobra.Command {
	var r reach
	var input, id string
	var timeout time.Duration
	cmd := onEntity("call NAME KEY OPERATION", "asks an entity for an operation and prints the result", 1, &r,
		func(cmd *cobra.Command, c *caller, path string, rest []string) error {
			seconds := int(timeout.Seconds())
			if seconds < 1 || seconds > 200 {
				return usageError{fmt.Errorf("--timeout %v: want 1s to 200s", timeout)}
			}
			body, err := given(input, cmd.InOrStdin())
			if err != nil {
				return err
			}
			query := url.Values{"op": rest, "timeout": {strconv.Itoa(seconds)}}
			set(query, "requestId", id)
			got, err := c.do(cmd.Context(), request{method: http.MethodPost, path: path + "/call", query: query, body: body})
			if err != nil {
				return err
			}
			return printAnswer(cmd.OutOrStdout(), got)
		})
	cmd.Long = "call asks an entity for an operation, waits for the answer and prints the result. When the time is over,\n" +
		"the request stays; the same call with --request gets the answer later, and runs the operation once.\n\n" +
		"Exit codes: 0 there is a result; 4 the operation has failed; 5 the time is over."
	cmd.Example = "  durable entity call Account alice Withdraw --input 30"
	cmd.Flags().StringVar(&input, "input", "", "input, as `JSON`; @FILE reads a file, - the standard input")
	cmd.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long to wait, up to 200s")
	cmd.Flags().StringVar(&id, "request", "", "`id` of an earlier request whose answer is wanted")
	return cmd
}

// printAnswer prints what an entity has answered to a call.
func printAnswer(out io.Writer, got reply) error {
	var answer struct {
		RequestID string
		Result    json.RawMessage
		Failure   *struct{ Type, Message string }
	}
	if err := json.Unmarshal(got.body, &answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch {
	case got.code == http.StatusAccepted:
		return &codeError{timeoutCode, fmt.Errorf("no answer in time; the same with --request %s gets it later", answer.RequestID)}
	case answer.Failure != nil:
		return &codeError{unsuccessfulCode, fmt.Errorf("the operation has failed: %s: %s", answer.Failure.Type, answer.Failure.Message)}
	case answer.Result == nil:
		return nil
	}
	_, err := fmt.Fprintf(out, "%s\n", answer.Result)
	return err
}

func newEntityDeleteCommand() *cobra.Command {
	var r reach
	cmd := onEntity("delete NAME KEY", "asks an entity to delete its state", 0, &r,
		func(cmd *cobra.Command, c *caller, path string, _ []string) error {
			_, err := c.send(cmd.Context(), request{method: http.MethodDelete, path: path})
			return err
		})
	cmd.Example = "  durable entity delete Account alice"
	return cmd
}

func newEntityCleanCommand() *cobra.Command {
	var r reach
	var empty, locks bool
	var age time.Duration
	cmd := &cobra.Command{
		Use: "clean", Short: "removes what is left of empty entities, and releases orphaned locks",
		Long: "clean goes through all entities. --empty removes what is kept of those without a state, --locks\n" +
			"releases locks of orchestrations that do not run any more.",
		Example: "  durable entity clean --empty --empty-for 24h --locks",
		Args:    want(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case !empty && !locks:
				return usageError{errors.New("say what to clean: --empty, --locks or both")}
			case age < 0:
				return usageError{fmt.Errorf("--empty-for %v: must not be below 0", age)}
			}
			c, err := r.connect(cmd.Context())
			if err != nil {
				return err
			}
			query := url.Values{"removeEmpty": {strconv.FormatBool(empty)}, "releaseOrphanedLocks": {strconv.FormatBool(locks)}}
			query.Set("emptyFor", strconv.Itoa(int(age.Seconds())))
			p := newProgress(cmd)
			defer p.end()
			return c.cleanEntities(cmd.Context(), query, cmd.OutOrStdout(), p)
		},
	}
	r.register(cmd.Flags())
	cmd.Flags().BoolVar(&empty, "empty", false, "remove what is kept of entities without a state")
	cmd.Flags().DurationVar(&age, "empty-for", time.Hour, "how long ago their last operation must be")
	cmd.Flags().BoolVar(&locks, "locks", false, "release locks of orchestrations that do not run any more")
	return cmd
}

func (c *caller) cleanEntities(ctx context.Context, query url.Values, out io.Writer, p *progress) error {
	removed, released := 0, 0
	for {
		body, err := c.send(ctx, request{method: http.MethodPost, path: "entities/clean", query: query})
		if err != nil {
			return err
		}
		var part struct {
			EmptyEntitiesRemoved, OrphanedLocksReleased int
			Token                                       string
		}
		if err := json.Unmarshal(body, &part); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		removed, released = removed+part.EmptyEntitiesRemoved, released+part.OrphanedLocksReleased
		if part.Token == "" {
			p.end()
			_, err := fmt.Fprintf(out, "%d empty entities removed, %d locks released\n", removed, released)
			return err
		}
		p.say("%d empty entities removed, %d locks released", removed, released)
		query.Set("token", part.Token)
	}
}
