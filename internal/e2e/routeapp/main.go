// Command routeapp is an app whose HTTP functions answer with their names and
// the values of their routes.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/handler"
)

// names are all names of parameters that the functions of the tests have.
var names = []string{"id", "rest", "r", "a", "b", "c", "v", "name", "ext", "A", "a2", "n", "path"}

func main() {
	app := durable.NewApp()
	root := os.Getenv("FUNCTIONS_APP_ROOT_PATH")
	config, err := handler.Load(root, os.Environ())
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range config.Functions {
		if f.HTTP && f.Name != "HttpStart" && !strings.HasPrefix(f.Name, "DurableTask") {
			app.HandleHTTP(f.Name, echo(f.Name))
		}
	}
	app.Register(durable.NewOrchestrator("Orchestrator", func(ctx *durable.Context, _ durable.None) (string, error) {
		return durable.WaitForEvent[string](ctx, "Go").Await()
	}))
	app.HandleHTTP("HttpStart", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := app.Client().StartNew(r.Context(), r.PathValue("functionName"), nil)
		if err == nil {
			err = app.Client().WriteCheckStatus(w, r, id)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	log.Fatal(app.Run(context.Background()))
}

// echo answers with the function and what the route has of the path.
func echo(function string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values := map[string]string{}
		for _, name := range names {
			if value := r.PathValue(name); value != "" {
				values[name] = value
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"function": function, "values": values})
	})
}
