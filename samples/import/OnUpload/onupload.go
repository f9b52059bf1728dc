// Package onupload is the function OnUpload, which takes messages from the queue
// uploads.
package onupload

import (
	"context"
	"errors"

	"github.com/durable-go/functions/durable"
	importcustomers "github.com/durable-go/functions/samples/import/ImportCustomers"
)

// Upload is a message: a file that was uploaded.
type Upload struct {
	ID string `json:"id"`
	// URL is where the file can be read, such as that of a blob with a signature.
	URL string `json:"url"`
}

// Handler starts an import for each message, and one only, however often the queue
// delivers it. A message that makes no sense is an error: after the fifth delivery it is
// in the queue uploads-poison.
func Handler(client *durable.Client) func(context.Context, Upload, durable.Trigger) error {
	return func(ctx context.Context, upload Upload, _ durable.Trigger) error {
		if upload.ID == "" || upload.URL == "" {
			return errors.New("an upload needs an id and a url")
		}
		_, err := importcustomers.Orchestrator.Start(ctx, client, upload.URL, durable.WithInstanceID("import-"+upload.ID))
		return err
	}
}
