package fake_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/durable-go/functions/internal/storage/fake"
)

// A restored account holds what the saved one did, and goes on: messages become visible
// when they should, and ETags stay.
func TestRestoredAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, opened := open(t)
		_, err := opened.Tables.CreateTable(t.Context(), "Rows", nil)
		must(t, err)
		_, err = opened.Tables.NewClient("Rows").AddEntity(t.Context(), []byte(`{"PartitionKey":"p","RowKey":"r","N":"5","N@odata.type":"Edm.Int64","T":"x","B":true}`), nil)
		must(t, err)
		_, err = opened.Queues.CreateQueue(t.Context(), "q", nil)
		must(t, err)
		for _, hide := range []int32{60, 0} {
			_, err = opened.Queues.NewQueueClient("q").EnqueueMessage(t.Context(), "hidden or not", &azqueue.EnqueueMessageOptions{VisibilityTimeout: to.Ptr(hide), TimeToLive: to.Ptr(int32(3600))})
			must(t, err)
		}
		_, err = opened.Blobs.CreateContainer(t.Context(), "box", nil)
		must(t, err)
		_, err = opened.Blobs.UploadBuffer(t.Context(), "box", "a/b", []byte{0, 255, 1}, &azblob.UploadBufferOptions{})
		must(t, err)

		saved, err := account.Snapshot()
		must(t, err)
		restored, at, err := fake.Restore(saved, 0)
		must(t, err)
		if again, err := restored.Snapshot(); err != nil || len(again) != len(saved) || !at.Equal(time.Now()) {
			t.Errorf("restored at %v is\n%s, %v; saved was\n%s", at, again, err, saved)
		}
		if got := restored.Messages("q"); len(got) != 2 {
			t.Errorf("the queue holds %q", got)
		}
		if _, _, err := fake.Restore([]byte("{"), 0); err == nil {
			t.Error("what is cut off was restored")
		}
	})
}
