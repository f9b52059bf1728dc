package durable

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/sealed"
)

// ClientOptions say where a task hub is.
type ClientOptions struct {
	// TaskHub is the name of the hub: hubName in the app's host.json. Required.
	TaskHub string
	// ConnectionString of the storage account, or UseDevelopmentStorage=true.
	// Empty: it is in the environment, see Connection.
	ConnectionString string
	// Connection is the name of the setting in the environment: a connection
	// string, or the prefix of the settings of an identity
	// (AzureWebJobsStorage__accountName ...). Default AzureWebJobsStorage.
	Connection string
	// LinksURL is where the app serves its signed links, such as
	// https://myapp.azurewebsites.net/api/durabletask-links. ManagementPayload and its
	// siblings need it.
	LinksURL string
	// Serializer and Codec must be the app's (App.UseSerializer,
	// App.UsePayloadCodec), and MaxPayload its setting maxPayload, in bytes. nil
	// and 0: as an app that has chosen nothing.
	Serializer Serializer
	Codec      PayloadCodec
	MaxPayload int
}

// NewClient makes a client of an app's task hub for another program: a service,
// a test, a tool. It runs no orchestrations; the app does. It sends no request
// yet. It does not know the app's orchestrators: a start of an unknown name
// succeeds, and the instance fails later.
func NewClient(o ClientOptions) (*Client, error) {
	if o.TaskHub == "" {
		return nil, errors.New("durable: ClientOptions.TaskHub is empty: it is hubName in the app's host.json")
	}
	connection, err := o.connection()
	if err != nil {
		return nil, fmt.Errorf("durable: client of task hub %q: ClientOptions.ConnectionString, or the environment: %w", o.TaskHub, err)
	}
	account, err := storage.Open(connection, storage.Options{})
	if err != nil {
		return nil, err
	}
	var store taskhub.Store
	if store, err = azure.Open(account, o.TaskHub, azure.Options{MaxLarge: largest(max(o.MaxPayload, taskhub.MaxPayload))}); err != nil {
		return nil, err
	}
	if o.Codec != nil {
		store = sealed.New(store, o.Codec)
	}
	c, err := newClientCore(store, o)
	if err != nil {
		return nil, err
	}
	return &Client{core: func() (*core, error) { return c, nil }}, nil
}

func (o *ClientOptions) connection() (*storage.Connection, error) {
	if o.ConnectionString != "" {
		return storage.Parse(o.ConnectionString)
	}
	setting := o.Connection
	if setting == "" {
		setting = "AzureWebJobsStorage"
	}
	return storage.Resolve(setting, os.Getenv)
}

// newClientCore connects a client that is not part of the app.
func newClientCore(store taskhub.Store, o ClientOptions) (*core, error) {
	switch {
	case o.MaxPayload < 0:
		return nil, fmt.Errorf("durable: MaxPayload %d: want a number of bytes, or 0 for %d", o.MaxPayload, taskhub.MaxPayload)
	case o.MaxPayload == 0:
		o.MaxPayload = taskhub.MaxPayload
	}
	c := &core{
		client:   client.New(store, client.Options{Queue: taskhub.ControlQueue(o.TaskHub), MaxPayload: o.MaxPayload}),
		registry: newRegistry(), outside: true,
		site: management.Site{Actions: !inAzure(), Queues: []string{taskhub.ControlQueue(o.TaskHub), taskhub.WorkItemQueue(o.TaskHub)}},
	}
	c.site.Gauge, _ = store.(taskhub.Gauge)
	c.registry.serializer, c.registry.maxPayload = o.Serializer, o.MaxPayload
	if o.LinksURL == "" {
		return c, nil
	}
	u, err := url.Parse(o.LinksURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" {
		return nil, fmt.Errorf("durable: LinksURL %q: want a URL such as https://myapp.azurewebsites.net/api/durabletask-links", o.LinksURL)
	}
	c.links = &management.Links{
		Keys:  management.NewKeys(store, o.TaskHub, time.Now),
		Front: management.Front{Base: u.Scheme + "://" + u.Host}, Path: strings.TrimSuffix(u.Path, "/"),
	}
	return c, nil
}
