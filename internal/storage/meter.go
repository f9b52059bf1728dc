package storage

import (
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Requested is told of a try of a request: which operation of which service, the
// status of the answer, 0 where none came, and how long it took. Calls are concurrent.
type Requested func(s Service, operation string, status int, took time.Duration)

// meter is the policy of a service that tells of its tries.
type meter struct {
	service Service
	told    Requested
}

func (m meter) Do(req *policy.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := req.Next()
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	m.told(m.service, operation(m.service, req.Raw()), status, time.Since(began))
	return resp, err
}

// operation is the method and what it is for: one of few texts, which have no names of
// tables, queues and blobs in them.
func operation(s Service, r *http.Request) string {
	path := r.URL.Path
	switch {
	case s == Table && strings.HasSuffix(path, "/$batch"):
		return r.Method + " transaction"
	case s == Table && strings.HasSuffix(path, "/Tables"), s == Table && strings.Contains(path, "/Tables("):
		return r.Method + " table"
	case s == Table:
		return r.Method + " entity"
	case s == Queue && strings.Contains(path, "/messages"):
		return r.Method + " message"
	case s == Queue:
		return r.Method + " queue"
	case r.URL.Query().Get("restype") == "container":
		return r.Method + " container"
	}
	return r.Method + " blob"
}
