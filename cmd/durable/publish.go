package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/hostname"
	"github.com/durable-go/functions/internal/storage"
	"github.com/spf13/cobra"
)

const publishHelp = `
APP is the name of the Function App, or its host name, such as app-x1y2.westeurope-01.azurewebsites.net.
The package is what durable pack has written; it is deployed as it is. Azure is shown the identity
that az login or azd auth login has, or that a pipeline has; it needs the role Website Contributor
on the app. A Premium plan as infra/ sets it up takes its package from a blob instead.`

// publishOptions are the arguments of publish.
type publishOptions struct {
	site    string // of the deployment service, as a URL
	pack    string
	zip     bool // the plan takes zip deployments, not those of Flex Consumption
	timeout time.Duration
	every   time.Duration // between two looks at the state
}

func newPublishCommand() *cobra.Command { return publishCommand(publish) }

// publishCommand hands the arguments to run.
func publishCommand(run func(context.Context, publishOptions, io.Writer) error) *cobra.Command {
	o := publishOptions{every: 2 * time.Second}
	cmd := &cobra.Command{
		Use: "publish APP", Short: "deploys the zip file to a Function App",
		Long: "publish deploys what durable pack has written.\n" + publishHelp,
		Example: "  durable publish myapp\n" +
			"  durable publish --package dist/app.zip --dedicated myapp.azurewebsites.net",
		Args: want(1, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.site, err = deploymentSite(args[0]); err != nil {
				return err
			}
			return run(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&o.pack, "package", filepath.Join("dist", "app.zip"), "`file` to deploy")
	cmd.Flags().BoolVar(&o.zip, "dedicated", false, "the app is on a Dedicated plan, not on Flex Consumption")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long to wait for the end of the deployment")
	return cmd
}

// deploymentSite returns the URL of the deployment service of an app. A token is sent
// there, so it is reached through TLS, or on this machine.
func deploymentSite(app string) (string, error) {
	if !strings.Contains(app, "://") {
		name, domain, isHost := strings.Cut(app, ".")
		if !isHost {
			domain = "azurewebsites.net"
		}
		app = "https://" + name + ".scm." + domain
	}
	at, err := url.Parse(app)
	if err != nil || !hostname.Valid(at.Host) || strings.Trim(at.Path, "/") != "" {
		return "", usageError{fmt.Errorf("%q is not the name of an app", app)}
	}
	if at.Scheme != "https" && (at.Scheme != "http" || !hostname.Loopback(at.Host)) {
		return "", usageError{fmt.Errorf("%q: a token is sent through https only", app)}
	}
	return at.Scheme + "://" + at.Host, nil
}

// publish deploys a package and waits for the end of it.
func publish(ctx context.Context, o publishOptions, out io.Writer) error {
	timed, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	return stopped(ctx, o.deploy(timed, out))
}

func (o *publishOptions) deploy(ctx context.Context, out io.Writer) error {
	content, err := os.Open(o.pack)
	if err != nil {
		return fmt.Errorf("the package (durable pack writes it): %w", err)
	}
	defer func() { _ = content.Close() }()
	token, err := storage.TokenFor(managementScope)
	if err != nil {
		return err
	}
	d := deployment{site: o.site, token: token, every: o.every}
	fmt.Fprintf(out, "Deploying %s to %s\n", o.pack, o.site)
	id, err := d.upload(ctx, content, o.zip)
	if err != nil {
		return err
	}
	if err := d.wait(ctx, id, out); err != nil {
		return err
	}
	fmt.Fprintln(out, "Deployed")
	return nil
}

// deployment is one with the deployment service of an app (Kudu), whose paths and
// answers are those that the Azure CLI and Core Tools use.
type deployment struct {
	site  string
	token func(context.Context) (string, error)
	every time.Duration // between two looks at the state
}

// upload sends the package, and returns the id of the deployment.
func (d *deployment) upload(ctx context.Context, content io.Reader, zip bool) (string, error) {
	path := "/api/publish?RemoteBuild=false&Deployer=durable"
	if zip {
		path = "/api/zipdeploy?isAsync=true&Deployer=durable"
	}
	body, err := d.send(ctx, http.MethodPost, path, content)
	if err != nil {
		return "", fmt.Errorf("uploading the package: %w", err)
	}
	var id string
	if json.Unmarshal(body, &id) != nil || id == "" {
		id = "latest"
	}
	return id, nil
}

// States of a deployment.
const (
	deploymentFailed    = 3
	deploymentSucceeded = 4
)

// wait returns when a deployment has ended; one that failed is an error with its log.
func (d *deployment) wait(ctx context.Context, id string, out io.Writer) error {
	path := "/api/deployments/" + url.PathEscape(id)
	said := ""
	for {
		body, err := d.send(ctx, http.MethodGet, path, nil)
		if err != nil {
			return fmt.Errorf("the state of the deployment: %w", err)
		}
		var state struct {
			Status   int
			Complete bool
			Progress string
		}
		if err := json.Unmarshal(body, &state); err != nil {
			return fmt.Errorf("the state of the deployment: %w", err)
		}
		if state.Progress != "" && state.Progress != said {
			said = state.Progress
			fmt.Fprintln(out, "  "+said)
		}
		switch {
		case state.Status == deploymentSucceeded:
			return nil
		case state.Status == deploymentFailed, state.Complete:
			return fmt.Errorf("the deployment failed (status %d)\n%s", state.Status, d.log(ctx, path))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the deployment has not ended: %w", ctx.Err())
		case <-time.After(d.every):
		}
	}
}

// log returns the messages of a deployment; what cannot be read of it is left out.
func (d *deployment) log(ctx context.Context, path string) string {
	body, err := d.send(ctx, http.MethodGet, path+"/log", nil)
	if err != nil {
		return ""
	}
	var entries []struct{ Message string }
	if json.Unmarshal(body, &entries) != nil {
		return ""
	}
	var lines []string
	for _, entry := range entries {
		lines = append(lines, "  "+entry.Message)
	}
	return strings.Join(lines, "\n")
}

// managementScope is the audience of tokens for the deployment service.
const managementScope = "https://management.azure.com/.default"

// send returns the body of a success.
func (d *deployment) send(ctx context.Context, method, path string, content io.Reader) ([]byte, error) {
	token, err := d.token(ctx)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, d.site+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if content != nil {
		request.Header.Set("Content-Type", "application/zip")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return body, refusal(response.StatusCode, body)
}

// refusal is what an answer means that is not a success.
func refusal(code int, body []byte) error {
	switch {
	case code < 300:
		return nil
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fmt.Errorf("answer %d: the identity may not deploy to this app (role Website Contributor), or the network of this machine may not reach it", code)
	case code == http.StatusNotFound:
		return fmt.Errorf("answer %d: there is no such app, or its plan is another one (see --dedicated)", code)
	case code == http.StatusConflict:
		return fmt.Errorf("answer %d: another deployment is under way", code)
	}
	return fmt.Errorf("answer %d: %.500s", code, strings.TrimSpace(string(body)))
}
