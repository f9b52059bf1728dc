package requestapproval_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	approveexpense "github.com/durable-go/functions/samples/approval/ApproveExpense"
	requestapproval "github.com/durable-go/functions/samples/approval/RequestApproval"
	sendmail "github.com/durable-go/functions/samples/approval/SendMail"
)

// The link in the mail decides the expense, and one that was changed does not.
func TestLinkInMail(t *testing.T) {
	app := durable.NewApp()
	app.Register(approveexpense.Orchestrator, sendmail.Activity)
	app.HandleHTTP("RequestApproval", requestapproval.Handler(app.Client()))
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		request := httptest.NewRequest(http.MethodPost, "http://localhost:7071/api/expenses/7",
			strings.NewReader(`{"what": "train", "cents": 12000, "approver": "ann", "deputy": "bob"}`))
		request.SetPathValue("id", "7")
		answer := httptest.NewRecorder()
		env.HTTP("RequestApproval").ServeHTTP(answer, request)
		if answer.Code != http.StatusAccepted || strings.Contains(answer.Body.String(), "sig=") {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
		env.Wait()
		mails := durabletest.Inputs(env, sendmail.Activity)
		if len(mails) != 1 || mails[0].To != "ann" {
			t.Fatalf("mails %+v", mails)
		}
		forged := strings.Replace(mails[0].Link, "expense-7", "expense-8", 1)
		if code := post(t, env, forged); code != http.StatusForbidden {
			t.Errorf("a link to another expense: %d", code)
		}
		if code := post(t, env, mails[0].Link); code != http.StatusAccepted {
			t.Errorf("the link: %d", code)
		}
		got, err := durabletest.Find[approveexpense.Decision](env, "expense-7").Result()
		if err != nil || !got.Approved || got.By != "ann" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// post sends the decision to a link.
func post(t *testing.T, env *durabletest.Env, link string) int {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodPost, link, strings.NewReader(`{"approved": true, "by": "ann"}`))
	request.Header.Set("Content-Type", "application/json")
	_, path, _ := strings.Cut(u.Path, "/durabletask-links/")
	request.SetPathValue("path", path)
	answer := httptest.NewRecorder()
	env.HTTP("DurableTaskLinks").ServeHTTP(answer, request)
	return answer.Code
}
