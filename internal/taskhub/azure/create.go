package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/taskhub"
)

// Create makes what is missing of the hub, all at the same time.
func (h *Hub) Create(ctx context.Context, owner taskhub.Owner) error {
	tasks := []func(context.Context) error{
		func(ctx context.Context) error { _, err := h.history.CreateTable(ctx, nil); return err },
		func(ctx context.Context) error { _, err := h.instances.CreateTable(ctx, nil); return err },
		func(ctx context.Context) error { return h.checkOfficialEngine(ctx) },
		func(ctx context.Context) error { return h.checkOwner(ctx, owner) },
	}
	for _, queue := range append([]string{taskhub.ControlQueue(h.name), taskhub.WorkItemQueue(h.name)}, h.options.Queues...) {
		tasks = append(tasks, func(ctx context.Context) error {
			_, err := h.queue(queue).Create(ctx, nil)
			return err
		})
	}
	errs := make(chan error, len(tasks))
	for _, task := range tasks {
		go func() {
			err := task(ctx)
			if exists(err) {
				err = nil
			}
			if err != nil && !errors.Is(err, taskhub.ErrForeignHub) {
				err = failed(err, "the service refuses")
			}
			errs <- err
		}()
	}
	var all []error
	for range tasks {
		all = append(all, <-errs)
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("creating task hub %q: %w", h.name, err)
	}
	return nil
}

// checkOfficialEngine refuses a hub that a worker of the official engine owns
// at this moment.
func (h *Hub) checkOfficialEngine(ctx context.Context) error {
	worker, err := h.OfficialWorker(ctx)
	if err == nil && worker != "" {
		err = fmt.Errorf("%w: worker %q of the official Durable Task engine is alive on it; give this app a hub of its own (hubName)", taskhub.ErrForeignHub, worker)
	}
	return err
}

// OfficialWorker names a worker of the official engine that is alive on the hub: one that
// has a lease in its partition rows that is not over. It is empty when there is none.
func (h *Hub) OfficialWorker(ctx context.Context) (string, error) {
	pager := h.account.Tables.NewClient(h.name + "Partitions").NewListEntitiesPager(&aztables.ListEntitiesOptions{Format: to.Ptr(aztables.MetadataFormatNone)})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if noHub(err) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("reading the partitions of task hub %q: %w", h.name, err)
		}
		for _, raw := range page.Entities {
			var row struct {
				CurrentOwner string
				ExpiresAt    time.Time
			}
			if json.Unmarshal(raw, &row) == nil && row.CurrentOwner != "" && row.ExpiresAt.After(h.options.Now()) {
				return row.CurrentOwner, nil
			}
		}
	}
	return "", nil
}

const ownerBlob = "app.json"

type ownerRecord struct {
	Site string `json:"site"`
}

// checkOwner records the app's name with the hub, or compares it.
func (h *Hub) checkOwner(ctx context.Context, owner taskhub.Owner) error {
	if _, err := h.account.Blobs.CreateContainer(ctx, h.secretContainer(), nil); err != nil && !exists(err) {
		return err
	}
	if owner.Site == "" || owner.Shared {
		return nil
	}
	mine, err := json.Marshal(ownerRecord{Site: owner.Site})
	if err != nil {
		return err
	}
	stored, err := h.Secrets(ctx, ownerBlob, mine)
	if err != nil {
		return err
	}
	var record ownerRecord
	if err := json.Unmarshal(stored, &record); err != nil {
		return fmt.Errorf("blob %s/%s: %w", h.secretContainer(), ownerBlob, err)
	}
	if record.Site != owner.Site {
		return fmt.Errorf("%w: it was made by %q and this is %q; give this app a hub of its own (hubName), or set sharedHub", taskhub.ErrForeignHub, record.Site, owner.Site)
	}
	return nil
}
