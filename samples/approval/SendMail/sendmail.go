// Package sendmail is the activity SendMail.
package sendmail

import (
	"context"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Mail is a mail.
type Mail struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	// Link is where the receiver decides. Who has it can decide, so it is not logged.
	Link string `json:"link"`
}

// Activity sends a mail. It stands in for your mail service.
var Activity = durable.NewAction("SendMail", func(ctx context.Context, m Mail) error {
	slog.InfoContext(ctx, "mail sent", "to", m.To, "subject", m.Subject)
	return nil
})
