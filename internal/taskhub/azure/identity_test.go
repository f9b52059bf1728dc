package azure_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/taskhubtest"
)

// The hub works the same with a managed identity: over https, with tokens of
// the App Service's endpoint, and without a key.
func TestIdentity(t *testing.T) {
	issuer := newIssuer(t)
	server, transport := serveHTTPS(t)
	settings := map[string]string{
		"AzureWebJobsStorage__tableServiceUri": fmt.Sprintf("https://127.0.0.1:%d/devstoreaccount1", server.Table),
		"AzureWebJobsStorage__queueServiceUri": fmt.Sprintf("https://127.0.0.1:%d/devstoreaccount1/", server.Queue),
		"AzureWebJobsStorage__blobServiceUri":  fmt.Sprintf("https://127.0.0.1:%d/devstoreaccount1", server.Blob),
		"AzureWebJobsStorage__credential":      "managedidentity",
		"AzureWebJobsStorage__clientId":        "the-app",
	}
	connection, err := storage.Resolve("AzureWebJobsStorage", func(name string) string { return settings[name] })
	if err != nil {
		t.Fatal(err)
	}
	taskhubtest.Run(t, func(t *testing.T) taskhubtest.Harness {
		account, err := storage.Open(connection, storage.Options{Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		hub, err := azure.Open(account, azuritetest.HubName(), azure.Options{Queues: []string{taskhubtest.ControlQueue}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = account.Queues.DeleteQueue(context.Background(), taskhubtest.ControlQueue, nil) })
		return taskhubtest.Harness{Store: hub, Wait: wait}
	})
	if asked := issuer.all(); len(asked) == 0 {
		t.Error("nobody asked for a token")
	} else if asked[0] != "https://storage.azure.com the-app" {
		t.Errorf("a token was asked for %s", asked[0])
	}
}

// issuer is the endpoint that gives a Function App its tokens.
type issuer struct {
	mu    sync.Mutex // guards asked
	asked []string
}

const issuerHeader = "the-header"

func newIssuer(t *testing.T) *issuer {
	i := &issuer{}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	t.Setenv("IDENTITY_ENDPOINT", server.URL)
	t.Setenv("IDENTITY_HEADER", issuerHeader)
	return i
}

func (i *issuer) all() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-IDENTITY-HEADER") != issuerHeader {
		http.Error(w, "not the app", http.StatusForbidden)
		return
	}
	i.mu.Lock()
	i.asked = append(i.asked, r.URL.Query().Get("resource")+" "+r.URL.Query().Get("client_id"))
	i.mu.Unlock()
	until := time.Now().Add(24 * time.Hour).Unix()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"access_token": token(time.Now().Add(-time.Minute).Unix(), until), "expires_on": fmt.Sprint(until),
		"resource": "https://storage.azure.com", "token_type": "Bearer",
	})
}

// token is one that Azure Storage would take, but for its signature.
func token(from, until int64) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	claims := fmt.Sprintf(`{"aud":"https://storage.azure.com","iss":"https://sts.windows.net/tenant/","iat":%d,"nbf":%d,"exp":%d}`, from, from, until)
	return part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(claims) + "." + part("signature")
}

// serveHTTPS starts an emulator of its own with a certificate, and returns a
// client that trusts that.
func serveHTTPS(t *testing.T) (*azurite.Server, *http.Client) {
	t.Helper()
	azuritetest.Server(t) // or skips
	script, err := azurite.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key, pool := certificate(t, dir)
	server, err := azurite.Start(t.Context(), azurite.Options{Script: script, Dir: filepath.Join(dir, "data"), Certificate: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return server, &http.Client{Transport: transport}
}

// certificate makes one for this machine, signed by itself.
func certificate(t *testing.T, dir string) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, os.WriteFile(certFile, chain, 0o600))
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return certFile, keyFile, pool
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
