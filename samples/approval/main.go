// Expenses that people approve: events, timeouts, and a signed link in a mail.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	approveexpense "github.com/durable-go/functions/samples/approval/ApproveExpense"
	requestapproval "github.com/durable-go/functions/samples/approval/RequestApproval"
	sendmail "github.com/durable-go/functions/samples/approval/SendMail"
)

func main() {
	app := durable.NewApp()
	app.Register(approveexpense.Orchestrator, sendmail.Activity)
	app.HandleHTTP("RequestApproval", requestapproval.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
