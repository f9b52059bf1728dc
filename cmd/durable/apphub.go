package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// appHub opens the task hub of the app in a folder. An empty name becomes the one that
// host.json gives the hub. inside is why a hub in memory cannot be opened.
func appHub(dir string, name *string, inside string) (*azure.Hub, error) {
	env, err := appEnvironment(options{dir: dir})
	if err != nil {
		return nil, err
	}
	if inMemory(env) {
		return nil, errors.New("AzureWebJobsStorage is memory: " + inside)
	}
	if *name == "" {
		if *name, err = hubOf(dir, env); err != nil {
			return nil, err
		}
	}
	return openHub(*name, env)
}

// readable returns an error for a hub that is not there, or cannot be read.
func readable(ctx context.Context, hub *azure.Hub, name string) error {
	if _, err := hub.List(ctx, taskhub.Query{Max: 1}); err != nil {
		return fmt.Errorf("task hub %s cannot be read; has the app run on this storage account? %w", name, err)
	}
	return nil
}

// hubOf is the task hub that host.json names.
func hubOf(dir string, env environment) (string, error) {
	app, err := handler.Load(dir, env.list())
	if err != nil {
		return "", err
	}
	var section struct{ HubName string }
	if app.DurableTask != nil {
		if err := json.Unmarshal(app.DurableTask, &section); err != nil {
			return "", fmt.Errorf("host.json: extensions.durableTask: %w", err)
		}
	}
	if section.HubName == "" {
		return "", errors.New("host.json names no task hub (extensions.durableTask.hubName): say which with --hub")
	}
	return section.HubName, nil
}

func openHub(name string, env environment) (*azure.Hub, error) {
	account, err := openAccount(env)
	if err != nil {
		return nil, err
	}
	return azure.Open(account, name, azure.Options{})
}

// openAccount opens the storage account of an app.
func openAccount(env environment) (*storage.Account, error) {
	connection, err := storage.Resolve("AzureWebJobsStorage", env.get)
	if err != nil {
		return nil, err
	}
	account, err := storage.Open(connection, storage.Options{})
	if err != nil {
		return nil, fmt.Errorf("setting AzureWebJobsStorage: %w", err)
	}
	return account, nil
}
