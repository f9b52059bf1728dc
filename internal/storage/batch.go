package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
)

// Limits of an entity group transaction.
const (
	MaxOperations = 100
	MaxBatchBytes = 4 << 20
)

// Batch is an entity group transaction: operations on rows of one partition of
// one table that succeed or fail together.
type Batch struct {
	table      string
	body       []byte
	operations int
}

const (
	batchBoundary  = "batch_durable"
	changeBoundary = "changeset_durable"
)

// NewBatch begins a transaction.
func NewBatch(table string) *Batch {
	b := &Batch{table: table, body: make([]byte, 0, 4096)}
	b.body = append(b.body, "--"+batchBoundary+"\r\nContent-Type: multipart/mixed; boundary="+changeBoundary+"\r\n\r\n"...)
	return b
}

// Operations is the number of operations so far, Size that of bytes.
func (b *Batch) Operations() int { return b.operations }

// Size is the length of the request so far, in bytes.
func (b *Batch) Size() int { return len(b.body) }

// Insert adds a row that must not exist.
func (b *Batch) Insert(account *Account, entity []byte) {
	b.begin("POST " + account.tableURL + "/" + b.table)
	b.append("Prefer: return-no-content\r\n")
	b.entity(entity)
}

// Upsert writes a row over whatever there is. Where there is nothing Insert costs
// the service half.
func (b *Batch) Upsert(account *Account, partition, row string, entity []byte) {
	b.begin("PUT " + account.row(b.table, partition, row))
	b.entity(entity)
}

// Merge changes columns of a row that has the ETag.
func (b *Batch) Merge(account *Account, partition, row, etag string, entity []byte) {
	b.begin("MERGE " + account.row(b.table, partition, row))
	b.append("If-Match: " + etag + "\r\n")
	b.entity(entity)
}

// Delete removes a row that must exist and have the ETag; * is any.
func (b *Batch) Delete(account *Account, partition, row, etag string) {
	b.begin("DELETE " + account.row(b.table, partition, row))
	b.append("If-Match: " + etag + "\r\nAccept: application/json;odata=minimalmetadata\r\n\r\n\r\n")
}

func (b *Batch) begin(line string) {
	b.operations++
	b.append("--" + changeBoundary + "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n" + line + " HTTP/1.1\r\nDataServiceVersion: 3.0;\r\n")
}

func (b *Batch) entity(entity []byte) {
	b.append("Accept: application/json;odata=minimalmetadata\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(entity)) + "\r\n\r\n")
	b.body = append(b.body, entity...)
	b.append("\r\n")
}

func (b *Batch) append(text string) { b.body = append(b.body, text...) }

// row is the address of an entity: quotes in keys are doubled, and the whole is
// percent-encoded.
func (a *Account) row(table, partition, row string) string {
	return a.tableURL + "/" + table + "(PartitionKey='" + key(partition) + "',RowKey='" + key(row) + "')"
}

func key(s string) string { return url.PathEscape(strings.ReplaceAll(s, "'", "''")) }

// BatchError is why a transaction failed as a whole.
type BatchError struct {
	// Status and Code are those of the operation that failed; Index is its
	// place, -1 where the reply does not say.
	Status int
	Code   string
	Index  int
	Text   string
}

func (e *BatchError) Error() string {
	return fmt.Sprintf("table transaction failed at operation %d: %d %s: %s", e.Index, e.Status, e.Code, e.Text)
}

// orTransient is the error, or another one where the service had no time for the
// transaction, in whichever form it says so: then it means nothing that it was not
// applied, and it may have been.
func (e *BatchError) orTransient() error {
	if e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Status == http.StatusRequestTimeout {
		return fmt.Errorf("table transaction: %d %s", e.Status, e.Code)
	}
	return e
}

// Submit runs the transaction and returns the ETags of its operations, empty
// for deletions. When it fails as a whole the error is a *BatchError, though
// the reply says 202; any other error leaves open whether it was applied.
func (a *Account) Submit(ctx context.Context, b *Batch) (etags []string, err error) {
	address := a.tableURL + "/$batch"
	if a.sas != "" {
		address += "?" + a.sas
	}
	req, err := runtime.NewRequest(ctx, http.MethodPost, address)
	if err != nil {
		return nil, err
	}
	body := append(b.body, "--"+changeBoundary+"--\r\n--"+batchBoundary+"--\r\n"...)
	header := req.Raw().Header
	header.Set("x-ms-version", "2019-02-02")
	header.Set("DataServiceVersion", "3.0")
	header.Set("Accept", "application/json;odata=minimalmetadata")
	if err := req.SetBody(streaming.NopCloser(bytes.NewReader(body)), "multipart/mixed; boundary="+batchBoundary); err != nil {
		return nil, err
	}
	return a.send(req)
}

func (a *Account) send(req *policy.Request) ([]string, error) {
	resp, err := a.batches.Do(req)
	if err != nil {
		return nil, fmt.Errorf("table transaction: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("table transaction: reading the reply: %w", err)
	}
	if resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusOK {
		e := &BatchError{Status: resp.StatusCode, Index: -1}
		e.Code, e.Text = oDataError(reply)
		return nil, e.orTransient()
	}
	etags, err := parseReply(reply)
	if failed := (*BatchError)(nil); errors.As(err, &failed) {
		err = failed.orTransient()
	}
	return etags, err
}
