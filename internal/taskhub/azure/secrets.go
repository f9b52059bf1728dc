package azure

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/durable-go/functions/internal/taskhub"
)

// Secrets reads a blob of the hub's container, after writing it where it is
// missing. The first writer wins.
func (h *Hub) Secrets(ctx context.Context, name string, initial []byte) ([]byte, error) {
	for try := 0; ; try++ {
		raw, _, err := h.readBlob(ctx, name)
		if err == nil || !missing(err) && !noContainer(err) || try > 1 {
			return raw, err
		}
		if _, err := h.account.Blobs.CreateContainer(ctx, h.secretContainer(), nil); err != nil && !exists(err) {
			return nil, failed(err, "creating container %s", h.secretContainer())
		}
		err = h.writeBlob(ctx, name, initial, &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)})
		if err != nil && !exists(err) && status(err) != http.StatusPreconditionFailed {
			return nil, fmt.Errorf("writing blob %s/%s: %w", h.secretContainer(), name, err)
		}
	}
}

func (h *Hub) container() *container.Client {
	return h.account.Blobs.ServiceClient().NewContainerClient(h.secretContainer())
}

func (h *Hub) readBlob(ctx context.Context, name string) ([]byte, *azcore.ETag, error) {
	resp, err := h.container().NewBlobClient(name).DownloadStream(ctx, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("reading blob %s/%s: %w", h.secretContainer(), name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return raw, resp.ETag, err
}

func (h *Hub) writeBlob(ctx context.Context, name string, raw []byte, condition *blob.ModifiedAccessConditions) error {
	options := blockblob.UploadOptions{AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: condition}}
	_, err := h.container().NewBlockBlobClient(name).Upload(ctx, body(raw), &options)
	return err
}

// ReplaceSecret replaces the blob if it is the old one. A write whose answer was
// lost is found out by reading again.
func (h *Hub) ReplaceSecret(ctx context.Context, name string, old, new []byte) error {
	for {
		stored, etag, err := h.readBlob(ctx, name)
		switch {
		case err == nil && bytes.Equal(stored, new):
			return nil
		case missing(err), noContainer(err), err == nil && !bytes.Equal(stored, old):
			return fmt.Errorf("blob %s/%s: %w", h.secretContainer(), name, taskhub.ErrChanged)
		case err != nil:
			return err
		}
		err = h.writeBlob(ctx, name, new, &blob.ModifiedAccessConditions{IfMatch: etag})
		if err == nil {
			return nil
		}
		if !differs(err) && !missing(err) {
			return fmt.Errorf("writing blob %s/%s: %w", h.secretContainer(), name, err)
		}
	}
}
