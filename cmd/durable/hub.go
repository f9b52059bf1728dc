package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/spf13/cobra"
)

func newHubCommand() *cobra.Command {
	return newGroup("hub", "lists, makes, checks and deletes task hubs",
		newHubListCommand(), newHubInfoCommand(), newHubCheckCommand(), newHubCreateCommand(), newHubDeleteCommand())
}

func newHubListCommand() *cobra.Command {
	f := asTable
	cmd := &cobra.Command{
		Use: "list [DIR]", Short: "lists the task hubs of the storage account",
		Example: "  durable hub list\n  durable hub list -o jsonl",
		Args:    oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := appEnvironment(options{dir: folder(args)})
			if err != nil {
				return err
			}
			if inMemory(env) {
				return errors.New("AzureWebJobsStorage is memory: that hub lives in the app's process and is its only one")
			}
			account, err := openAccount(env)
			if err != nil {
				return err
			}
			names, err := azure.Hubs(cmd.Context(), account)
			if err != nil {
				return err
			}
			type row struct {
				Hub string `json:"hub"`
			}
			var objects []json.RawMessage
			for _, name := range names {
				raw, err := json.Marshal(row{name})
				if err != nil {
					return err
				}
				objects = append(objects, raw)
			}
			if len(names) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "There is no task hub at %s.\n", account.Address())
			}
			return rows(cmd.OutOrStdout(), f, []column[row]{{"HUB", false, func(r *row) string { return r.Hub }}}, objects)
		},
	}
	f.register(cmd)
	return cmd
}

func newHubInfoCommand() *cobra.Command {
	var r reach
	f := asTable
	cmd := &cobra.Command{
		Use: "info [DIR]", Short: "shows a task hub: queues, latency, and settings of the app",
		Long: "info shows what is known of a task hub: how many messages wait in its queues and how long storage takes\n" +
			"to answer. With --url it is the app that is asked, and it tells of its settings and its process, too.",
		Example: "  durable hub info\n  durable hub info --url https://myapp.azurewebsites.net -o json",
		Args:    oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				r.dir = args[0]
			}
			c, err := r.connect(cmd.Context())
			if err != nil {
				return err
			}
			return c.hubInfo(cmd.Context(), r.url != "", f, cmd.OutOrStdout())
		},
	}
	r.register(cmd.Flags())
	f.register(cmd)
	return cmd
}

// hubInfo prints what is known of the hub. Of the process that answers it tells only
// where that is the app's.
func (c *caller) hubInfo(ctx context.Context, ofApp bool, f form, out io.Writer) error {
	body, err := c.send(ctx, request{method: http.MethodGet, path: "hub"})
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if !ofApp {
		delete(members, "process")
		if body, err = json.Marshal(members); err != nil {
			return err
		}
	}
	switch f {
	case asJSON:
		return indented(out, members)
	case asLines:
		return lines(out, []json.RawMessage{body})
	}
	var info hubInfo
	if err := json.Unmarshal(body, &info); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return facts(out, info.facts())
}

// hubInfo is a hub as the management API tells of it.
type hubInfo struct {
	Hub, Storage string
	Process      struct {
		Host, Module, Go string
		ID               int
		Started          *time.Time
	}
	Queues []struct {
		Name, Error string
		Messages    int
		Oldest      *time.Time
		Missing     bool
	}
	Latency []struct {
		Request, Error string
		Milliseconds   float64
	}
	Settings []struct{ Name, Value string }
}

func (i *hubInfo) facts() [][2]string {
	pairs := [][2]string{{"Hub", i.Hub}, {"Storage", i.Storage}}
	if p := i.Process; p.ID != 0 {
		pairs = append(pairs, [2]string{"Process", fmt.Sprintf("%d on %s since %s, %s, module %s", p.ID, p.Host, moment(p.Started), p.Go, p.Module)})
	}
	for _, q := range i.Queues {
		text := strconv.Itoa(q.Messages) + " messages"
		if q.Oldest != nil {
			text += ", the oldest of " + moment(q.Oldest)
		}
		if q.Missing {
			text = "missing"
		}
		pairs = append(pairs, [2]string{"Queue " + q.Name, words(text, q.Error)})
	}
	for _, l := range i.Latency {
		pairs = append(pairs, [2]string{"Reading " + l.Request, words(fmt.Sprintf("%.1f ms", l.Milliseconds), l.Error)})
	}
	for _, s := range i.Settings {
		pairs = append(pairs, [2]string{"Setting " + s.Name, s.Value})
	}
	return pairs
}

func newHubCreateCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "create [DIR]", Short: "makes the tables and queues of a task hub",
		Long: "create makes what is missing of a task hub. An app does that by itself when it starts; where it may not,\n" +
			"this is for those who may.",
		Example: "  durable hub create\n  durable hub create --hub Orders",
		Args:    oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			hub, err := appHub(folder(args), &name, "that hub is made by the app")
			if err != nil {
				return err
			}
			if err := hub.Create(cmd.Context(), taskhub.Owner{}); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Task hub %s is there.\n", name)
			return nil
		},
	}
	registerHub(cmd.Flags(), &name)
	return cmd
}

func newHubDeleteCommand() *cobra.Command {
	var name string
	var yes bool
	cmd := &cobra.Command{
		Use: "delete [DIR]", Short: "deletes a task hub with all instances and entities in it",
		Long: "delete deletes a task hub: its tables, queues, large payloads and keys, and with them all instances and\n" +
			"entities. Stop its app before. It asks for the name of the hub, unless --yes is given.",
		Example: "  durable hub delete --hub OrdersTest\n  durable hub delete --hub OrdersTest --yes",
		Args:    oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			hub, err := appHub(folder(args), &name, "that hub ends with the app")
			if err != nil {
				return err
			}
			// A wrong name must not seem to be deleted.
			if err := readable(cmd.Context(), hub, name); err != nil {
				return err
			}
			if err := confirmed(cmd, name, yes); err != nil {
				return err
			}
			if err := hub.Delete(cmd.Context()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Task hub %s is deleted. The service may refuse its name for some minutes.\n", name)
			return nil
		},
	}
	registerHub(cmd.Flags(), &name)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// confirmed asks the user for the name of what will be deleted. Where the input ends
// before there is an answer, --yes must be given.
func confirmed(cmd *cobra.Command, name string, yes bool) error {
	if yes {
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Everything in task hub %s will be gone. Type its name to delete it: ", name)
	typed, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	switch {
	case strings.TrimSpace(typed) == name:
		return nil
	case err != nil:
		return usageError{fmt.Errorf("task hub %s is left as it is: --yes deletes it without a question", name)}
	}
	return fmt.Errorf("task hub %s is left as it is: its name was not typed", name)
}
