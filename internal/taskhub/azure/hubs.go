package azure

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// Hubs are the names of the task hubs in an account: those of which both tables are
// there. Hubs of the official engine are among them.
func Hubs(ctx context.Context, account *storage.Account) ([]string, error) {
	tables := map[string]bool{}
	var names []string
	for pager := account.Tables.NewListTablesPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "listing the tables of the account")
		}
		for _, table := range page.Tables {
			tables[strings.ToLower(*table.Name)] = true
			if name, ok := strings.CutSuffix(*table.Name, taskhub.InstancesTable("")); ok && taskhub.ValidHub(name) == nil {
				names = append(names, name)
			}
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !tables[strings.ToLower(taskhub.HistoryTable(name))] })
	slices.Sort(names)
	return names, nil
}

// Delete removes the hub with all that is in it: its tables, queues and containers,
// those of the official engine among them. What is not there is left out, so that it
// may be repeated. An app that still works on the hub fails from then on, and the
// service refuses the names for some time.
func (h *Hub) Delete(ctx context.Context) error {
	var errs []error
	remove := func(what, name string, err error) {
		if err != nil && !missing(err) && !noHub(err) {
			errs = append(errs, failed(err, "deleting %s %s", what, name))
		}
	}
	for _, table := range []string{taskhub.InstancesTable(h.name), taskhub.HistoryTable(h.name), h.name + "Partitions"} {
		_, err := h.account.Tables.NewClient(table).Delete(ctx, nil)
		remove("table", table, err)
	}
	queues, err := h.ownQueues(ctx)
	errs = append(errs, err)
	for _, queue := range queues {
		_, err := h.queue(queue).Delete(ctx, nil)
		remove("queue", queue, err)
	}
	for _, container := range []string{h.secretContainer(), h.largeContainer(), strings.ToLower(h.name) + "-leases", strings.ToLower(h.name) + "-applease"} {
		_, err := h.account.Blobs.DeleteContainer(ctx, container, nil)
		remove("container", container, err)
	}
	return errors.Join(errs...)
}

// ownQueues are the queues of the hub that are there. The app may have others whose
// names begin with that of the hub.
func (h *Hub) ownQueues(ctx context.Context) ([]string, error) {
	names, err := h.QueueNames(ctx, "-")
	if err != nil {
		return nil, err
	}
	control := strings.TrimSuffix(taskhub.ControlQueue(h.name), "00")
	return slices.DeleteFunc(names, func(name string) bool {
		name = strings.TrimSuffix(name, "-poison")
		number, isControl := strings.CutPrefix(name, control)
		isControl = isControl && len(number) == 2 && strings.Trim(number, "0123456789") == ""
		return !isControl && name != taskhub.WorkItemQueue(h.name)
	}), nil
}
