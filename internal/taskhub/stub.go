package taskhub

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/durable-go/functions/internal/history"
)

// MaxInline is the largest envelope that is sent as it is, in bytes: 60 KiB in
// base64, where a queue takes 64. It is the official engine's limit.
const MaxInline = 45 << 10

// InBlobError means that the envelope of a message is in a blob.
type InBlobError struct {
	// Name of the blob in the hub's container of large payloads.
	Name string
	// ETag of the blob when the message was sent; empty where the sender was
	// another engine, whose blobs stay until the instance is purged.
	ETag string
}

func (e *InBlobError) Error() string { return fmt.Sprintf("the message is kept in blob %q", e.Name) }

const stubStart = `{"$type":"DurableTask.AzureStorage.MessageData","ActivityId":"00000000-0000-0000-0000-000000000000","TaskMessage":null,"CompressedBlobName":`

// stubBody is how the text of every stub of ours begins: base64 of whole groups
// of three bytes.
var stubBody = base64.StdEncoding.EncodeToString([]byte(stubStart[:len(stubStart)/3*3]))

// EncodeStub is the text of a message whose envelope is in a blob, in the
// official form. The blob's ETag is ours: it tells whether the blob is still
// this message's when the message is removed.
func EncodeStub(blob, etag string) string {
	dst := history.AppendString([]byte(stubStart), blob)
	dst = append(dst, `,"GoETag":`...)
	dst = history.AppendString(dst, etag)
	dst = append(dst, `,"SequenceNumber":0,"Sender":null,"SerializableTraceContext":null}`...)
	return EncodeBody(dst)
}

// StubBlob is the blob of a message that EncodeStub wrote; nil for every other
// text. It is cheap for those.
func StubBlob(body string) *InBlobError {
	var in *InBlobError
	if !strings.HasPrefix(body, stubBody) {
		return nil
	}
	if _, err := DecodeMessage([]byte(body)); errors.As(err, &in) {
		return in
	}
	return nil
}
