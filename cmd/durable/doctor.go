package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The states of a finding.
const (
	fine    = "ok"
	warning = "warning" // something does not work as well as it could
	problem = "problem" // the app does not run, or not rightly
)

// finding is what doctor says about one thing.
type finding struct {
	Check string `json:"check"`
	State string `json:"state"`
	Text  string `json:"text"`
	// Mend is the command, or the change, that mends it; empty where nothing is wrong.
	Mend string `json:"mend,omitempty"`
}

// patient is what the checks look at.
type patient struct {
	dir  string
	port int
	env  environment
	// hub is the name of the app's task hub, empty where that is not known.
	hub string
	// found are the findings so far.
	found []finding
}

func (p *patient) add(check, state, mend, format string, args ...any) {
	p.found = append(p.found, finding{check, state, fmt.Sprintf(format, args...), mend})
}

const doctorHelp = `doctor looks at what an app needs on this machine, and says for each thing that is wrong which
command or change mends it: Go, the Functions host, Node and Azurite, the port, host.json and its
extension bundle, the functions, the settings, the storage account, the roles on it, and the clock.
It changes nothing.

Exit codes: 0 nothing is wrong, though there may be warnings; 1 there are problems.`

func newDoctorCommand() *cobra.Command {
	f := asTable
	var p patient
	cmd := &cobra.Command{
		Use: "doctor [DIR]", Short: "says what is wrong on this machine and in an app, and what mends it",
		Long:    doctorHelp,
		Example: "  durable doctor\n  durable doctor -o json samples/order",
		Args:    oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.dir = "."
			if len(args) == 1 {
				p.dir = args[0]
			}
			p.examine(cmd.Context())
			if err := printFindings(cmd.OutOrStdout(), f, p.found); err != nil {
				return err
			}
			if n := p.problems(); n > 0 {
				return fmt.Errorf("%d problems", n)
			}
			return nil
		},
	}
	f.register(cmd)
	cmd.Flags().IntVar(&p.port, "port", 7071, "port that the app will use")
	return cmd
}

// examine does all checks. Those of the account come last, because they may take
// some time where it does not answer.
func (p *patient) examine(ctx context.Context) {
	env, err := appEnvironment(options{dir: p.dir})
	p.env = env
	if err != nil {
		p.add("settings", problem, "mend local.settings.json", "%v", err)
	}
	p.checkGo(ctx)
	p.checkHost(ctx)
	p.checkPort()
	p.checkHostJSON()
	p.checkFunctions()
	p.checkStorage(ctx)
}

func (p *patient) problems() (n int) {
	for _, f := range p.found {
		if f.State == problem {
			n++
		}
	}
	return n
}

// firstLine is an error without what the SDK says about the request.
func firstLine(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

func printFindings(out io.Writer, f form, found []finding) error {
	if f != asJSON && f != asLines {
		for _, f := range found {
			fmt.Fprintf(out, "%-8s %-10s %s\n", f.State, f.Check, plain(f.Text))
			if f.Mend != "" {
				fmt.Fprintf(out, "%19s %s\n", "to mend it:", f.Mend)
			}
		}
		return nil
	}
	var objects []json.RawMessage
	for _, one := range found {
		raw, err := json.Marshal(one)
		if err != nil {
			return err
		}
		objects = append(objects, raw)
	}
	return rows[finding](out, f, nil, objects)
}
