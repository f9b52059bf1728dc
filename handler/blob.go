package handler

import (
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"time"
)

// Blob is what the host tells of the blob of a blob trigger.
type Blob struct {
	// Name is container and path: "docs/2026/report.txt".
	Name string
	// URI is the address of the blob.
	URI string
	// Metadata are the blob's own names and values.
	Metadata map[string]string
	BlobProperties
}

// BlobProperties are those of the storage service
// (learn.microsoft.com/rest/api/storageservices/get-blob-properties).
type BlobProperties struct {
	LastModified, CreatedOn                                   time.Time
	ContentLength                                             int64
	ContentType, ContentEncoding, ContentLanguage, AccessTier string
	ContentDisposition, CacheControl                          string
	// ContentHash is the MD5 of the blob; nil where the service has none.
	ContentHash []byte
}

func isBlob(b Binding) bool { return strings.EqualFold(b.Type, "blobTrigger") }

// blobOf reads the metadata of an invocation. What is missing or of another form
// is left out.
func blobOf(metadata map[string]json.RawMessage) *Blob {
	b := &Blob{URI: scalar(metadata["Uri"])}
	_ = json.Unmarshal(metadata["Metadata"], &b.Metadata)
	_ = json.Unmarshal(metadata["Properties"], &b.BlobProperties)
	b.Name = blobName(b.URI)
	return b
}

// blobName is the path of an address behind the account: that is in the name of
// the host, or, where the host is an address or a name without dots, as that of an
// emulator is, or the account the emulator's own, the first step of the path.
func blobName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	name := strings.TrimPrefix(u.Path, "/")
	account, rest, _ := strings.Cut(name, "/")
	if host := u.Hostname(); net.ParseIP(host) != nil || !strings.Contains(host, ".") || account == "devstoreaccount1" {
		return rest
	}
	return name
}
