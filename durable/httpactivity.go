package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/durable-go/functions/internal/hostname"
	"github.com/durable-go/functions/internal/redact"
)

// TokenProvider makes the bearer tokens of CallHTTP: for a scope, such as
// https://management.azure.com/.default. It may be called concurrently.
type TokenProvider func(ctx context.Context, scope string) (string, error)

// UseTokenProvider replaces what makes the tokens of CallHTTP: by default the
// app's managed identity, or on a developer's machine whoever is logged in
// (azidentity.DefaultAzureCredential). Call it before Run.
func (a *App) UseTokenProvider(p TokenProvider) { a.registry.tokens = p }

// UseHTTPClient replaces the client of CallHTTP, for proxies and certificates of
// one's own. Its CheckRedirect is not used. Call it before Run.
func (a *App) UseHTTPClient(c *http.Client) {
	if c == nil {
		a.errs = append(a.errs, errors.New("the HTTP client is nil"))
		return
	}
	a.registry.http = c
}

// maxRedirects is that of browsers and of net/http.
const maxRedirects = 10

// addHTTP registers the activity behind CallHTTP.
func (r *registry) addHTTP() {
	activity := NewActivity(httpActivity, r.fetch)
	r.activities[strings.ToLower(httpActivity)] = activityEntry{name: httpActivity, run: activity.bind(r)}
}

// fetch makes one request.
func (r *registry) fetch(ctx context.Context, w httpWire) (result httpResult, err error) {
	if err := webURL(w.URI); err != nil {
		return result, NonRetryable(err)
	}
	var body io.Reader
	if w.Content != nil {
		body = strings.NewReader(*w.Content)
	}
	request, err := http.NewRequestWithContext(ctx, w.Method, w.URI, body)
	if err != nil {
		return result, NonRetryable(redact.Error(err))
	}
	for name, values := range w.Headers {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	if err := r.authorize(request, w.Token); err != nil {
		return result, err
	}
	client := *r.http
	client.CheckRedirect = checkRedirect
	response, err := client.Do(request)
	if err != nil {
		return result, withoutQuery(err)
	}
	defer func() { _ = response.Body.Close() }()
	return r.readResponse(w, response)
}

func (r *registry) readResponse(w httpWire, response *http.Response) (result httpResult, err error) {
	content, err := io.ReadAll(io.LimitReader(response.Body, int64(r.maxPayload)+1))
	if err != nil {
		return result, fmt.Errorf("reading the answer: %w", withoutQuery(err))
	}
	if len(content) > r.maxPayload {
		return result, NonRetryable(fmt.Errorf("the answer is larger than %d bytes (maxPayload)", r.maxPayload))
	}
	if failed := w.Retry && response.StatusCode >= 400; failed && len(w.RetryStatus) == 0 || w.Retry && slices.Contains(w.RetryStatus, response.StatusCode) {
		return result, &HTTPError{StatusCode: response.StatusCode, Content: string(content[:min(len(content), 1<<10)])}
	}
	headers := map[string]string{}
	for name, values := range response.Header {
		if !strings.HasPrefix(name, "Content-") && name != "Transfer-Encoding" {
			headers[name] = strings.Join(values, ", ")
		}
	}
	return httpResult{
		HTTPResponse: HTTPResponse{StatusCode: response.StatusCode, Headers: headers, Content: string(content)},
		Type:         response.Header.Get("Content-Type"),
	}, nil
}

// withoutQuery is an error of net/http without the query of the URL, in which
// there may be keys, and without those in the text of its cause: a Location that
// does not parse, for one.
func withoutQuery(err error) error {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return redact.Error(err)
	}
	return fmt.Errorf("%s %s: %w", strings.ToUpper(failed.Op), redact.URL(failed.URL), redact.Error(failed.Err))
}

// checkRedirect keeps what is for one origin from all others. net/http copies
// the headers of the first request at every hop, and lets subdomains have them.
func checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	if err := webURL(next.URL.String()); err != nil {
		return err
	}
	if !sameOrigin(via[0].URL, next.URL) {
		withoutSecrets(next.Header)
	}
	return nil
}

// authorize adds a token, which is sent over TLS only, or to this machine.
func (r *registry) authorize(request *http.Request, token *ManagedIdentityToken) error {
	if token == nil {
		return nil
	}
	if request.URL.Scheme != "https" && !hostname.Loopback(request.URL.Host) {
		return NonRetryable(errors.New("a token is sent over https only"))
	}
	scope := strings.TrimSuffix(token.Resource, "/")
	if !strings.HasSuffix(scope, "/.default") {
		scope += "/.default"
	}
	text, err := r.tokens(request.Context(), scope)
	if err != nil {
		return fmt.Errorf("a token for %s: %w", token.Resource, err)
	}
	request.Header.Set("Authorization", "Bearer "+text)
	return nil
}

// azureTokens makes tokens of the app's identity. Nothing is looked for before
// the first one is wanted.
func azureTokens() TokenProvider {
	credential := sync.OnceValues(func() (azcore.TokenCredential, error) { return azidentity.NewDefaultAzureCredential(nil) })
	return func(ctx context.Context, scope string) (string, error) {
		c, err := credential()
		if err != nil {
			return "", err
		}
		token, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
		return token.Token, err
	}
}
