package handler

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// The host sends every blob as base64, whatever dataType says.
func TestBlobTrigger(t *testing.T) {
	// As the host 4.1045 with Storage.Blobs 5.3.10 sends it.
	const envelope = `{"Data":{"blob":%q},"Metadata":{"Uri":"\"http://127.0.0.1:10000/devstoreaccount1/docs/a/r%%20%%C3%%A9.txt\"","Properties":{"LastModified":"2026-11-30T08:34:51+00:00",
		"Metadata":{"owner":"w"},"BlobType":0,"ContentLength":12,"ContentType":"text/plain","ETag":{},"ContentHash":"jG4V33Q6A4Cqom5XQXlNew==","ContentEncoding":null,"AccessTier":"Hot"},
		"Metadata":{"owner":"w"},"dir":"\"a\"","name":"\"text\"","sys":{"MethodName":"Blob"}}}`
	for _, dataType := range []string{"", "string", "binary"} {
		for _, text := range []string{"hello wörld", `{"id":1}`, "\x00\xff\x01", "aGVsbG8=", "42", `"hi"`, ""} {
			f := &Function{Name: "F", Trigger: Binding{Name: "blob", Type: "blobTrigger", DataType: dataType}}
			inv, err := decodeInvocation(f, "i", fmt.Appendf(nil, envelope, base64.StdEncoding.EncodeToString([]byte(text))))
			if err != nil {
				t.Fatal(err)
			}
			if raw, err := Decode[[]byte](inv); err != nil || string(raw) != text {
				t.Errorf("%q as bytes: %q %v", text, raw, err)
			}
			if s, err := Decode[string](inv); err != nil || s != text {
				t.Errorf("%q as a string: %q %v", text, s, err)
			}
			v, err := Decode[struct{ ID int }](inv)
			if want := strings.HasPrefix(text, "{"); (err == nil && v.ID == 1) != want {
				t.Errorf("%q as a struct: %v %v", text, v, err)
			}
			if b := inv.Blob; b.Name != "docs/a/r é.txt" || b.Metadata["owner"] != "w" || b.ContentLength != 12 || b.ContentType != "text/plain" || b.LastModified.Day() != 30 || len(b.ContentHash) != 16 {
				t.Errorf("%+v", b)
			}
		}
	}
}

func TestBlobNames(t *testing.T) {
	for address, want := range map[string]string{
		"https://acct.blob.core.windows.net/docs/a/b.txt": "docs/a/b.txt", "http://localhost:10000/devstoreaccount1/docs/b": "docs/b", "http://[::1]:1/acct/docs/b": "docs/b",
		"http://azurite:10000/devstoreaccount1/docs/b": "docs/b", "http://host.docker.internal:10000/devstoreaccount1/docs/b": "docs/b", "https://files.example.com/docs/b%2Fc": "docs/b/c", "": "", "::": "",
	} {
		if got := blobName(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
