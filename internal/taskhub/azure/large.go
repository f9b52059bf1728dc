package azure

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// largeContainer holds what fits no column and no message. It is made when the
// first such payload comes.
func (h *Hub) largeContainer() string { return strings.ToLower(h.name) + "-largemessages" }

func (h *Hub) large() *container.Client {
	return h.account.Blobs.ServiceClient().NewContainerClient(h.largeContainer())
}

// folder begins the names of all blobs of an instance, and of no other: an
// escaped id has no slash. A dot at its end, which some clients drop from a
// path, is escaped too.
func folder(id string) string {
	key := taskhub.EscapeKey(id)
	if stem, dot := strings.CutSuffix(key, "."); dot {
		key = stem + "^d"
	}
	return key + "/"
}

// largePayload is a text on its way into its blob.
type largePayload struct {
	name string
	text history.Payload
}

// zippers are reused: each has most of a megabyte.
var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return z
}}

// writeLarge writes a blob over whatever there is and returns its ETag. A blob
// is written before what names it.
func (h *Hub) writeLarge(ctx context.Context, p largePayload) (etag string, err error) {
	if len(p.text) > h.options.MaxLarge {
		return "", fmt.Errorf("blob %s: %d bytes, at most %d can be read again: %w", p.name, len(p.text), h.options.MaxLarge, taskhub.ErrTooLarge)
	}
	var packed bytes.Buffer
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(&packed)
	if _, err := z.Write(p.text); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	for made := false; ; made = true {
		resp, err := h.large().NewBlockBlobClient(p.name).Upload(ctx, body(packed.Bytes()), nil)
		if err == nil && resp.ETag != nil {
			if h.options.Spilled != nil {
				h.options.Spilled(len(p.text))
			}
			return string(*resp.ETag), nil
		}
		if err == nil || !noContainer(err) || made {
			return "", failed(err, "writing blob %s/%s", h.largeContainer(), p.name)
		}
		if _, err := h.large().Create(ctx, nil); err != nil && !exists(err) {
			return "", failed(err, "creating container %s", h.largeContainer())
		}
	}
}

// largeAtOnce bounds the blobs of one call that are moved at the same time.
const largeAtOnce = 8

// eachLarge runs f for every one of n blobs, some at a time, and returns the
// errors.
func eachLarge(n int, f func(int) error) error { return sideBySide(n, largeAtOnce, f) }

// sideBySide runs f for every number below n, so many at a time, and returns the errors.
func sideBySide(n, atOnce int, f func(int) error) error {
	switch n {
	case 0:
		return nil
	case 1:
		return f(0)
	}
	errs := make([]error, n)
	gate := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for i := range n {
		gate <- struct{}{}
		group.Add(1)
		go func() {
			defer func() { <-gate; group.Done() }()
			errs[i] = f(i)
		}()
	}
	group.Wait()
	return errors.Join(errs...)
}

func (h *Hub) writeAllLarge(ctx context.Context, all []largePayload) error {
	return eachLarge(len(all), func(i int) error {
		_, err := h.writeLarge(ctx, all[i])
		return err
	})
}

// blobNames are the names of blobs that this engine or the official one writes:
// a folder for the instance, and what it is. Others are read as if they were not
// there: rows and messages must not name what is none of theirs.
var blobNames = regexp.MustCompile(`^[^/]+/[A-Za-z][A-Za-z0-9-]*(?:-[A-Za-z0-9_-]*)?\.json\.gz$`)

// readLarge reads a blob, as far as that is bounded: a small blob may unpack to
// very much. ErrPayloadGone when there is none.
func (h *Hub) readLarge(ctx context.Context, name string) (history.Payload, error) {
	fail := func(err error) (history.Payload, error) {
		return nil, fmt.Errorf("reading blob %s/%s: %w", h.largeContainer(), name, err)
	}
	if !blobNames.MatchString(name) {
		return fail(taskhub.ErrPayloadGone)
	}
	resp, err := h.large().NewBlobClient(name).DownloadStream(ctx, nil)
	if missing(err) || noContainer(err) {
		return fail(taskhub.ErrPayloadGone)
	}
	if err != nil {
		return fail(err)
	}
	stream := resp.NewRetryReader(ctx, nil)
	defer func() { _ = stream.Close() }()
	// What grew by packing is not much longer than what was packed.
	packed, err := io.ReadAll(io.LimitReader(stream, int64(h.options.MaxLarge)+1<<20))
	if err != nil {
		return fail(err)
	}
	text, err := unpack(packed, h.options.MaxLarge)
	if err != nil {
		return fail(err)
	}
	return text, nil
}

// unpack reads a whole gzip file of at most so many bytes. Its last four bytes
// are its length, by which memory is taken once.
func unpack(packed []byte, most int) (history.Payload, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", taskhub.ErrDamaged, err)
	}
	length := binary.LittleEndian.Uint32(packed[len(packed)-4:])
	text := bytes.NewBuffer(make([]byte, 0, min(int64(length), int64(most))+bytes.MinRead))
	n, err := text.ReadFrom(io.LimitReader(z, int64(most)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", taskhub.ErrDamaged, err)
	case n > int64(most):
		return nil, fmt.Errorf("it unpacks to more than %d bytes: %w", most, taskhub.ErrTooLarge)
	}
	return text.Bytes(), nil
}

// largeURL is how the Instances table names a blob.
func (h *Hub) largeURL(name string) history.Payload {
	base, _, _ := strings.Cut(h.account.Blobs.URL(), "?")
	segments := strings.Split(name, "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return history.Payload(strings.TrimSuffix(base, "/") + "/" + h.largeContainer() + "/" + strings.Join(segments, "/"))
}

// largeName is the blob that a text of an instance's row stands for, "" for a
// text that is what it says. Only blobs of the instance itself count: the text
// may be a reason that somebody has given. The address of the account does not
// matter: it has several.
func (h *Hub) largeName(id string, text history.Payload) string {
	if !bytes.HasPrefix(text, []byte("http")) {
		return ""
	}
	u, err := url.Parse(string(text))
	if err != nil {
		return ""
	}
	_, name, found := strings.Cut(u.Path, "/"+h.largeContainer()+"/")
	if !found || !isOwn(id, name) {
		return ""
	}
	return name
}

// isOwn reports whether a blob is one of the instance itself.
func isOwn(id, blob string) bool {
	return strings.HasPrefix(blob, folder(id)) || strings.HasPrefix(blob, id+"/")
}

// deleteLarge deletes the blobs of an instance that doomed reports, all with nil.
// check is called between the listing of blobs and their deletion: what it finds
// to be so was so before, and only the versions that were listed are deleted.
func (h *Hub) deleteLarge(ctx context.Context, id string, doomed func(*container.BlobItem) bool, check func(context.Context) error) error {
	pager := h.large().NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: to.Ptr(folder(id))})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if noContainer(err) {
			return nil
		}
		if err != nil {
			return failed(err, "listing the large payloads of instance %q", id)
		}
		if err := check(ctx); err != nil {
			return err
		}
		items := page.Segment.BlobItems
		err = eachLarge(len(items), func(i int) error {
			if doomed != nil && !doomed(items[i]) {
				return nil
			}
			return h.deleteBlob(ctx, *items[i].Name, quoted(items[i].Properties.ETag))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// quoted makes the ETag of a listing, which has no quotes there, one for a
// condition.
func quoted(etag *azcore.ETag) *azcore.ETag {
	if etag == nil || strings.HasSuffix(string(*etag), `"`) {
		return etag
	}
	return to.Ptr(azcore.ETag(`"` + string(*etag) + `"`))
}

// deleteBlob deletes a blob that still is the one with the ETag. One that is
// gone or was written again is no error.
func (h *Hub) deleteBlob(ctx context.Context, name string, etag *azcore.ETag) error {
	_, err := h.large().NewBlobClient(name).Delete(ctx, &blob.DeleteOptions{AccessConditions: &blob.AccessConditions{
		ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: etag},
	}})
	if err != nil && !missing(err) && !noContainer(err) && !differs(err) {
		return fmt.Errorf("deleting blob %s/%s: %w", h.largeContainer(), name, err)
	}
	return nil
}
