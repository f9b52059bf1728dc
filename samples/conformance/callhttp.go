package main

import (
	"net/http"

	"github.com/durable-go/functions/durable"
)

// request is the input of CallHttp.
type request struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Content value             `json:"content"`
	Headers map[string]string `json:"headers"`
	Async   *bool             `json:"async"`
}

// Orchestrators that call HTTP services.
var requests = []durable.Registration{
	durable.NewOrchestrator("CallHttp", func(ctx *durable.Context, in request) (durable.HTTPResponse, error) {
		header := http.Header{}
		for name, v := range in.Headers {
			header.Set(name, v)
		}
		call := durable.HTTPRequest{Method: in.Method, URL: in.URL, Header: header, NoPolling: in.Async != nil && !*in.Async}
		if in.Content != nil {
			call.Body = in.Content
		}
		return durable.CallHTTP(ctx, call).Await()
	}),
}
