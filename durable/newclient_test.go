package durable_test

import (
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
)

// A client without an account names its hub and both places where the account may be
// given.
func TestNewClientWithoutAnAccount(t *testing.T) {
	t.Setenv("AzureWebJobsStorage", "")
	_, err := durable.NewClient(durable.ClientOptions{TaskHub: "Shop"})
	if err == nil || !strings.HasPrefix(err.Error(), `durable: client of task hub "Shop": ClientOptions.ConnectionString, or the environment: no storage connection: set AzureWebJobsStorage`) {
		t.Error(err)
	}
}
