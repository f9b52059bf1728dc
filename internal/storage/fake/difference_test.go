package fake_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
)

// step is a raw request. In its texts {name} stands for what an earlier step
// has kept.
type step struct {
	service, method, path string
	header                map[string]string
	body                  string
	// keep names values of the answer: etag, receipt, message.
	keep map[string]string
}

// back is an endpoint that answers steps.
type back struct {
	base  map[string]string // service to address
	query string            // credentials
	do    func(*http.Request) (*http.Response, error)
	kept  map[string]string
}

// essence is what must be the same of two answers.
type essence struct {
	status int
	etag   bool
	detail string
}

var (
	receiptIn = regexp.MustCompile(`<PopReceipt>([^<]+)</PopReceipt>`)
	messageIn = regexp.MustCompile(`<MessageId>([^<]+)</MessageId>`)
	codeIn    = regexp.MustCompile(`<Code>([^<]+)</Code>|"code":\s*"([^"]+)"`)
	detailIn  = regexp.MustCompile(`HTTP/1.1 \d+|"RowKey":"[^"]*"|"odata.etag"|"[^"]*@odata.type":"[^"]*"|"value":"\d+:|<MessageText>[^<]*</MessageText>|<DequeueCount>\d+</DequeueCount>|<Name>[^<]*</Name>|<BlobType>[^<]*</BlobType>`)
)

func (b *back) fill(text string) string {
	for name, value := range b.kept {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

func (b *back) send(t *testing.T, s step) essence {
	t.Helper()
	address := b.base[s.service] + b.fill(s.path)
	if b.query != "" {
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		address += separator + b.query
	}
	body := strings.ReplaceAll(b.fill(s.body), "{base}", b.base[s.service])
	req, err := http.NewRequestWithContext(t.Context(), s.method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if s.service == "table" {
		req.Header.Set("Accept", "application/json;odata=minimalmetadata")
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("DataServiceVersion", "3.0")
	}
	req.Header.Set("x-ms-version", "2019-02-02")
	for name, value := range s.header {
		req.Header.Set(name, b.fill(value))
	}
	resp, err := b.do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	b.keepFrom(s, resp, string(raw))
	return essenceOf(resp, string(raw))
}

func (b *back) keepFrom(s step, resp *http.Response, body string) {
	for name, what := range s.keep {
		switch what {
		case "etag":
			b.kept[name] = resp.Header.Get("ETag")
		case "receipt":
			b.kept[name] = url.QueryEscape(resp.Header.Get("x-ms-popreceipt"))
			if match := receiptIn.FindStringSubmatch(body); match != nil {
				b.kept[name] = url.QueryEscape(match[1])
			}
		case "message":
			if match := messageIn.FindStringSubmatch(body); match != nil {
				b.kept[name] = match[1]
			}
		}
	}
}

func essenceOf(resp *http.Response, body string) essence {
	e := essence{status: resp.StatusCode, etag: resp.Header.Get("ETag") != ""}
	if match := codeIn.FindStringSubmatch(body); match != nil {
		e.detail = match[1] + match[2]
	} else if resp.StatusCode >= 400 {
		e.detail = resp.Header.Get("x-ms-error-code")
	}
	// Where in a row the type of Timestamp stands means nothing.
	details := slices.DeleteFunc(detailIn.FindAllString(body, -1), func(s string) bool { return strings.HasPrefix(s, `"Timestamp@`) })
	e.detail = strings.TrimSpace(e.detail + " " + strings.Join(details, " "))
	return e
}

// TestLikeAzurite sends the same requests to this account and to Azurite.
func TestLikeAzurite(t *testing.T) {
	real := azuriteBack(t, azuritetest.Server(t))
	account := fake.New(0)
	ours := &back{
		base: map[string]string{"table": "http://table.fake", "queue": "http://queue.fake", "blob": "http://blob.fake"},
		do:   account.Do, kept: map[string]string{},
	}
	for i, s := range steps() {
		want, got := real.send(t, s), ours.send(t, s)
		if got != want {
			t.Errorf("step %d: %s %s %s\nhere    %+v\nAzurite %+v", i, s.method, s.service, s.path, got, want)
		}
	}
}

// azuriteBack signs with the query string of an account's signature
// (learn.microsoft.com/rest/api/storageservices/create-account-sas).
func azuriteBack(t *testing.T, server *azurite.Server) *back {
	t.Helper()
	connection, err := storage.Parse(server.ConnectionString())
	must(t, err)
	key, err := base64.StdEncoding.DecodeString(connection.Key)
	must(t, err)
	const permissions, services, resources, protocols, version = "rwdlacup", "bqt", "sco", "https,http", "2019-02-02"
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join([]string{connection.Account, permissions, services, resources, "", until, "", protocols, version, ""}, "\n")))
	query := url.Values{
		"sp": {permissions}, "ss": {services}, "srt": {resources}, "se": {until}, "spr": {protocols}, "sv": {version},
		"sig": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
	return &back{
		base:  map[string]string{"table": connection.Table, "queue": connection.Queue, "blob": connection.Blob},
		query: query.Encode(), do: http.DefaultClient.Do, kept: map[string]string{},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// batch is the body of a transaction.
func batch(operations ...string) string {
	var b strings.Builder
	b.WriteString("--batch_a\r\nContent-Type: multipart/mixed; boundary=changeset_a\r\n\r\n")
	for _, operation := range operations {
		b.WriteString("--changeset_a\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n" + operation + "\r\n")
	}
	return b.String() + "--changeset_a--\r\n--batch_a--\r\n"
}

func operation(method, resource, header, body string) string {
	return fmt.Sprintf("%s {base}/%s HTTP/1.1\r\nAccept: application/json;odata=minimalmetadata\r\nContent-Type: application/json\r\nDataServiceVersion: 3.0;\r\n%s\r\n%s\r\n", method, resource, header, body)
}
