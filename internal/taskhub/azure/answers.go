package azure

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// Answers of the services are told apart by their code, never by the HTTP status
// alone: 404 is said of a missing row and of a missing table, and 409 of a row
// that exists and of a table that is being deleted
// (learn.microsoft.com/rest/api/storageservices/status-and-error-codes2).

// answer is the HTTP status and the code of a service's error; zero when there
// was no answer.
func answer(err error) (status int, code string) {
	var failed *azcore.ResponseError
	if errors.As(err, &failed) {
		return failed.StatusCode, failed.ErrorCode
	}
	var batch *storage.BatchError
	if errors.As(err, &batch) {
		return batch.Status, batch.Code
	}
	return 0, ""
}

func status(err error) int {
	status, _ := answer(err)
	return status
}

func code(err error) string {
	_, code := answer(err)
	return code
}

// missing reports whether the addressed row, message or blob does not exist,
// while the table, queue or container that would have it does.
func missing(err error) bool {
	switch status, code := answer(err); code {
	case "ResourceNotFound", "EntityNotFound", "MessageNotFound", "BlobNotFound":
		return true
	default:
		// An answer to HEAD has no body, and may have no code.
		return status == http.StatusNotFound && code == ""
	}
}

// noHub reports whether the table, queue or container does not exist, or is being
// deleted.
func noHub(err error) bool { return noContainer(err) || beingDeleted(err) || noAccount(err) != nil }

// noAccount is the answer that there is no address of the account's name; nil: err
// is something else. Names of accounts that were deleted lose theirs.
func noAccount(err error) *net.DNSError {
	var unknown *net.DNSError
	if errors.As(err, &unknown) && unknown.IsNotFound {
		return unknown
	}
	return nil
}

// absence is [taskhub.ErrNoHub] in one sentence. The service's error, whose text is
// a page long, can be asked for by type.
type absence struct {
	text  string
	cause error
}

func (a *absence) Error() string { return a.text }

// Unwrap is the sentinel, and the service's error.
func (a *absence) Unwrap() []error { return []error{taskhub.ErrNoHub, a.cause} }

// absent describes what is not there.
func absent(err error) error {
	if unknown := noAccount(err); unknown != nil {
		return &absence{fmt.Sprintf("the storage account does not exist, or its name is not known here (%s)", unknown.Name), err}
	}
	at := ""
	if failed := (*azcore.ResponseError)(nil); errors.As(err, &failed) && failed.RawResponse != nil && failed.RawResponse.Request != nil {
		u := failed.RawResponse.Request.URL
		at = fmt.Sprintf(" (%s at %s%s)", failed.ErrorCode, u.Host, u.EscapedPath())
	}
	return &absence{taskhub.ErrNoHub.Error() + at, err}
}

// noContainer reports whether the table, queue or container does not exist.
func noContainer(err error) bool {
	switch code(err) {
	case "TableNotFound", "QueueNotFound", "ContainerNotFound":
		return true
	}
	return false
}

func beingDeleted(err error) bool {
	switch code(err) {
	case "TableBeingDeleted", "QueueBeingDeleted", "ContainerBeingDeleted":
		return true
	}
	return false
}

// exists reports whether what was to be made is there.
func exists(err error) bool {
	switch code(err) {
	case "EntityAlreadyExists", "TableAlreadyExists", "QueueAlreadyExists", "ContainerAlreadyExists", "BlobAlreadyExists":
		return true
	}
	return false
}

// differs reports whether an ETag is not the stored one.
func differs(err error) bool { return status(err) == http.StatusPreconditionFailed }

// refused reports whether the service refuses what it was given, and will do so
// each time.
func refused(err error) bool {
	switch code(err) {
	case "OutOfRangeInput", "InvalidInput", "PropertyValueTooLarge", "PropertyNameTooLong", "PropertyNameInvalid", "KeyValueTooLarge",
		"EntityTooLarge", "TooManyProperties", "RequestBodyTooLarge", "InvalidXmlDocument", "OutOfRangeQueryParameterValue":
		return true
	}
	return status(err) == http.StatusRequestEntityTooLarge
}

// failed describes a request that failed as what the contract has for it.
func failed(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	switch {
	case noHub(err):
		return fmt.Errorf("%s: %w", what, absent(err))
	case refused(err):
		return fmt.Errorf("%s: %w: %w", what, taskhub.ErrRefused, err)
	case storage.Unreachable(err) && !errors.Is(err, taskhub.ErrUnavailable):
		return fmt.Errorf("%s: %w: %w", what, taskhub.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
