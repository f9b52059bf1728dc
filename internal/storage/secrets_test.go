package storage

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
)

const secret = "c2VjcmV0c2lnbmF0dXJlc2VjcmV0"

// No error of a connection or of an account has a key or a signature in it.
func TestErrorsHaveNoSecrets(t *testing.T) {
	const endpoints = "TableEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a;"
	for _, text := range []string{
		endpoints + "SharedAccessSignature=sv=2022-11-02&sig=" + secret, endpoints + "SharedAccessSignature=sig=%zz" + secret, endpoints + "SharedAccessSignature=\x7fsig=" + secret,
		endpoints + "AccountName=a;AccountKey=" + secret, "AccountName=a;AccountKey=!" + secret, "AccountKey=" + secret, secret, "AccountName=a b;AccountKey=" + secret,
		"TableEndpoint=http://u:" + secret + "@h\x00;AccountName=a;AccountKey=" + secret,
	} {
		connection, err := Parse(text)
		if err == nil {
			err = use(t, connection)
		}
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// use asks each service for something that it cannot answer.
func use(t *testing.T, c *Connection) error {
	t.Helper()
	account, err := Open(c, Options{MaxRetries: -1})
	if err != nil {
		return err
	}
	_, table := account.Tables.NewListTablesPager(nil).NextPage(t.Context())
	_, queue := account.Queues.NewListQueuesPager(nil).NextPage(t.Context())
	_, blob := account.Blobs.NewListContainersPager(nil).NextPage(t.Context())
	batch := NewBatch("t")
	batch.Insert(account, []byte(`{"PartitionKey":"a","RowKey":"b"}`))
	_, send := account.Submit(t.Context(), batch)
	for what, err := range map[string]error{"table": table, "queue": queue, "blob": blob, "batch": send} {
		if err == nil {
			t.Errorf("%s answered", what)
		}
	}
	return errors.Join(table, queue, blob, send)
}

func TestDevelopmentStorageProxy(t *testing.T) {
	for text, want := range map[string]string{
		"http://storage": "http://storage", "http://192.168.1.5:1": "http://192.168.1.5", "http://[::1]": "http://[::1]", "https://[2001:db8::1]:8080/": "https://[2001:db8::1]",
		"storage": "", "ftp://storage": "", "http://": "", "http://[::1": "",
	} {
		c, err := Parse("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=" + text)
		if want == "" {
			if err == nil {
				t.Errorf("%s is taken: %s", text, c.Table)
			}
			continue
		}
		if err != nil || c.Blob != want+":10000/devstoreaccount1" || c.Queue != want+":10001/devstoreaccount1" || c.Table != want+":10002/devstoreaccount1" {
			t.Errorf("%s: %+v %v", text, c, err)
			continue
		}
		if _, err := http.NewRequest(http.MethodGet, c.Table, nil); err != nil {
			t.Error(err)
		}
	}
}

// Whatever a connection string is, it is taken or refused, without its secret.
func FuzzParse(f *testing.F) {
	f.Add("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=", ";EndpointSuffix=core.windows.net")
	f.Add("TableEndpoint=http://h/a;QueueEndpoint=http://h/a;BlobEndpoint=http://h/a;SharedAccessSignature=sv=1&sig=", "&se=x")
	f.Add("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://[::1]", ";")
	f.Add(" ;;=;AccountKey = ", "==")
	f.Fuzz(func(t *testing.T, before, after string) {
		c, err := Parse(before + secret + after)
		if err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Fatal(err)
			}
			return
		}
		for _, address := range []string{c.Table, c.Queue, c.Blob} {
			if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
				t.Fatalf("%q", address)
			}
		}
		if _, err := base64.StdEncoding.DecodeString(c.Key); err != nil {
			t.Fatalf("key %q", c.Key)
		}
		if _, err := Open(c, Options{}); err != nil && strings.Contains(err.Error(), secret) {
			t.Fatal(err)
		}
	})
}
