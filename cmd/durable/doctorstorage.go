package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"time"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// accountPatience is how long an account may take to answer.
const accountPatience = 20 * time.Second

func (p *patient) checkStorage(ctx context.Context) {
	if inMemory(p.env) {
		p.add("storage", warning, "set AzureWebJobsStorage to UseDevelopmentStorage=true, or to a connection string", "AzureWebJobsStorage is memory: the task hub is gone when the app ends")
		return
	}
	connection, err := storage.Resolve("AzureWebJobsStorage", p.env.get)
	if err != nil {
		p.add("storage", problem, `set AzureWebJobsStorage in Values of local.settings.json, to UseDevelopmentStorage=true for Azurite`, "%v", err)
		return
	}
	if ports, local := localPorts(connection); local && !p.checkEmulator(ports) {
		return
	}
	dates := &dated{}
	account, err := storage.Open(connection, storage.Options{Transport: dates, MaxRetries: -1})
	if err != nil {
		p.add("storage", problem, "mend the setting AzureWebJobsStorage", "%v", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, accountPatience)
	defer cancel()
	p.checkAccess(ctx, account, dates)
	p.checkClock(dates)
	p.checkHub(ctx, account)
}

// checkEmulator looks for the emulator where the setting has it, and for what starts
// it. It reports whether the emulator answers.
func (p *patient) checkEmulator(ports [3]int) bool {
	switch silent := silentPorts(ports); {
	case len(silent) == 0:
		p.add("azurite", fine, "", "the storage emulator answers on ports %v", ports)
		return true
	case len(silent) < len(ports):
		p.add("azurite", problem, "end what uses the others, or set AzureWebJobsStorage", "%s", partlyThere(ports, silent))
		return false
	}
	if _, err := exec.LookPath("node"); err != nil {
		p.add("node", problem, "install Node from https://nodejs.org, or durable start --storage memory", "the storage emulator does not run, and needs Node: %v", err)
		return false
	}
	if _, err := azurite.Find(p.dir); err != nil {
		p.add("azurite", warning, "durable start  (it installs Azurite through npm, once)", "the storage emulator does not run, and is not installed")
		return false
	}
	p.add("azurite", warning, "durable start  (it starts Azurite)", "the storage emulator does not run on ports %v", ports)
	return false
}

// checkAccess looks whether each service lets us in, and names the role where it does
// not.
func (p *patient) checkAccess(ctx context.Context, account *storage.Account, dates *dated) {
	for _, service := range []struct {
		name, role string
		ask        func() error
	}{
		{"tables", "Storage Table Data Contributor", func() error { _, err := account.Tables.NewListTablesPager(nil).NextPage(ctx); return err }},
		{"queues", "Storage Queue Data Contributor", func() error { _, err := account.Queues.NewListQueuesPager(nil).NextPage(ctx); return err }},
		{"blobs", "Storage Blob Data Owner", func() error { _, err := account.Blobs.NewListContainersPager(nil).NextPage(ctx); return err }},
	} {
		err := service.ask()
		switch {
		case err == nil:
			p.add(service.name, fine, "", "the account's %s answer", service.name)
		case dates.refused() != "":
			mend := fmt.Sprintf("az role assignment create --role %q --assignee WHO --scope ACCOUNT  (or give the setting the right key)", service.role)
			p.add(service.name, problem, mend, "the account refuses us its %s: %s", service.name, dates.refused())
		default:
			p.add(service.name, problem, "see whether AzureWebJobsStorage names the right account, and whether its firewall lets this machine in", "the account's %s do not answer: %s", service.name, firstLine(err))
		}
	}
}

// Differences of this machine's clock from which on it matters: signatures are refused
// at a quarter of an hour.
const (
	clockWarns = time.Minute
	clockFails = 10 * time.Minute
)

func (p *patient) checkClock(dates *dated) {
	const mend = "let the system set its clock (timedatectl set-ntp true, or w32tm /resync)"
	skew, known := dates.skew()
	switch {
	case !known:
	case skew.Abs() >= clockFails:
		p.add("clock", problem, mend, "this machine's clock is %v away from that of the storage account, which refuses signatures", skew.Round(time.Second))
	case skew.Abs() >= clockWarns:
		p.add("clock", warning, mend, "this machine's clock is %v away from that of the storage account: timers are late or early", skew.Round(time.Second))
	default:
		p.add("clock", fine, "", "as that of the storage account")
	}
}

func (p *patient) checkHub(ctx context.Context, account *storage.Account) {
	if p.hub == "" {
		return
	}
	hub, err := azure.Open(account, p.hub, azure.Options{})
	if err == nil {
		_, err = hub.List(ctx, taskhub.Query{Max: 1, WithoutPayloads: true})
	}
	switch {
	case errors.Is(err, taskhub.ErrNoHub):
		p.add("hub", fine, "", "task hub %s is not there yet: the app makes it", p.hub)
	case err != nil:
		p.add("hub", problem, "durable hub check", "task hub %s: %s", p.hub, firstLine(err))
	default:
		p.add("hub", fine, "", "task hub %s is there; durable hub check looks into it", p.hub)
	}
}

// dated sends requests, one at a time, and notes what their answers say beside their
// bodies.
type dated struct {
	// ahead is our time less that of the service; asked is set once there is one.
	ahead time.Duration
	asked bool
	// status and reason are those of the last answer.
	status int
	reason string
}

// Do sends a request.
func (d *dated) Do(r *http.Request) (*http.Response, error) {
	d.status, d.reason = 0, ""
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer, err
	}
	d.status, d.reason = answer.StatusCode, answer.Header.Get("X-Ms-Error-Code")
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		d.ahead, d.asked = time.Since(date), true
	}
	return answer, nil
}

func (d *dated) skew() (time.Duration, bool) { return d.ahead, d.asked }

// refused says why the last request was refused for who asked; empty where it was not.
func (d *dated) refused() string {
	if d.status == http.StatusForbidden || d.status == http.StatusUnauthorized {
		return fmt.Sprintf("%d %s", d.status, d.reason)
	}
	return ""
}
