package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/dashboard"
	"github.com/durable-go/functions/internal/hubcheck"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/spf13/cobra"
)

// dashboardOptions are the arguments of dashboard.
type dashboardOptions struct {
	reach
	port     int
	readOnly bool
}

func newDashboardCommand() *cobra.Command { return dashboardCommand(showDashboard) }

// dashboardCommand hands the arguments to run.
func dashboardCommand(run func(context.Context, dashboardOptions, io.Writer) error) *cobra.Command {
	var o dashboardOptions
	cmd := &cobra.Command{
		Use: "dashboard [DIR]", Short: "shows a task hub in the browser: of a storage account, or of a deployed app",
		Long: "dashboard shows a task hub in the browser. The storage account is that of AzureWebJobsStorage, in the\n" +
			"environment or in local.settings.json; with --url the page asks a deployed app.",
		Example: "  durable dashboard\n" +
			"  durable dashboard --read-only --url https://myapp.azurewebsites.net",
		Args: oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.dir = args[0]
			}
			if err := o.check(); err != nil {
				return err
			}
			return run(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	o.register(cmd.Flags())
	cmd.Flags().IntVar(&o.port, "port", 0, "port of the page (default: a free one)")
	cmd.Flags().BoolVar(&o.readOnly, "read-only", false, "only show, without actions")
	return cmd
}

// The paths of the page are those of an app.
const (
	dashboardAPI     = "/api/durabletask"
	dashboardKeyless = "/api/durabletask-links"
)

// showDashboard serves the page until the user ends it.
func showDashboard(ctx context.Context, o dashboardOptions, out io.Writer) error {
	api, what, err := o.api(ctx)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", o.port))
	if err != nil {
		return fmt.Errorf("%w (--port names another port)", err)
	}
	token := rand.Text()
	server := &http.Server{Handler: guarded(api, token, listener.Addr().String()), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(out, "Dashboard of %s:\n\n\thttp://%s%s/dashboard?code=%s\n\nThe address is good for this machine until Ctrl-C.\n", what, listener.Addr(), dashboardAPI, token)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = server.Shutdown(bound) // requests that are held need not end
	_ = server.Close()
	if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errStopped
}

// maxFindings is how many findings of a check the page shows.
const maxFindings = 500

// api is what the page asks, and a name for it.
func (o *dashboardOptions) api(ctx context.Context) (http.Handler, string, error) {
	if o.url != "" {
		return proxyTo(o.url, o.key, o.readOnly)
	}
	hub, err := appHub(o.dir, &o.hub, "that hub lives in the app's process, which serves the dashboard itself, at /api/durabletask/dashboard")
	if err != nil {
		return nil, "", err
	}
	// A hub that is not there would be an empty list.
	if err := readable(ctx, hub, o.hub); err != nil {
		return nil, "", err
	}
	api := &management.API{
		Client: client.New(hub, client.Options{Queue: taskhub.ControlQueue(o.hub)}),
		Links:  &management.Links{Keys: management.NewKeys(hub, o.hub, time.Now), Path: dashboardKeyless},
		Check:  func(string) error { return nil }, // the app knows its orchestrators, this program does not
		Log:    slog.Default(),
		Site: management.Site{
			Actions: !o.readOnly, Gauge: hub, Storage: "storage account of this machine's settings",
			Queues:    []string{taskhub.ControlQueue(o.hub), taskhub.WorkItemQueue(o.hub)},
			Processes: func(ctx context.Context) ([]reconcile.Process, error) { return reconcile.ReadProcesses(ctx, hub) },
			Checkup: func(ctx context.Context) (any, error) {
				report, err := hubcheck.Run(ctx, o.hub, hub, hubcheck.Options{})
				if err != nil {
					return nil, err
				}
				return report.First(maxFindings), nil
			},
		},
	}
	return api.Operators(dashboardAPI), "task hub " + o.hub, nil
}

// proxyTo passes requests on to a deployed app, with its key.
func proxyTo(address, key string, readOnly bool) (http.Handler, string, error) {
	target, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || target.Scheme != "https" && target.Scheme != "http" || target.Host == "" {
		return nil, "", usageError{fmt.Errorf("--url %q: want an address such as https://myapp.azurewebsites.net", address)}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("X-Functions-Key")
			r.Out.Header.Del("Cookie")
			if key != "" {
				r.Out.Header.Set("X-Functions-Key", key)
			}
		},
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			management.WriteError(w, http.StatusBadGateway, "the app does not answer: "+err.Error())
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if readOnly && r.Method != http.MethodGet {
			management.WriteError(w, http.StatusForbidden, "this dashboard was started with --read-only")
			return
		}
		proxy.ServeHTTP(w, r)
	}), target.Host, nil
}

// guarded serves the page to this machine, and the API to those who have the
// token. Another name for this machine is refused: a foreign page may have made
// its name lead here.
func guarded(api http.Handler, token, address string) http.Handler {
	_, port, _ := net.SplitHostPort(address)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != address && r.Host != "localhost:"+port {
			management.WriteError(w, http.StatusMisdirectedRequest, "the dashboard is at http://"+address)
			return
		}
		path := strings.TrimSuffix(r.URL.Path, "/")
		switch {
		case path == "":
			http.Redirect(w, r, dashboardKeyless+"/dashboard", http.StatusFound)
		case r.Method == http.MethodGet && (strings.EqualFold(path, dashboardAPI+"/dashboard") || strings.EqualFold(path, dashboardKeyless+"/dashboard")):
			dashboard.Serve(w, dashboard.Place{API: dashboardAPI + "/", Keyless: dashboardKeyless + "/dashboard"})
		case subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Functions-Key")), []byte(token)) != 1:
			management.WriteError(w, http.StatusUnauthorized, "the key is that of the address which durable dashboard has printed")
		case strings.HasPrefix(strings.ToLower(path), dashboardAPI+"/"):
			api.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}
