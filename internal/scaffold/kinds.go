package scaffold

import (
	"fmt"
	"strings"
)

// Kind is what a function is.
type Kind string

// The kinds of functions.
const (
	Orchestrator Kind = "orchestrator"
	Activity     Kind = "activity"
	Entity       Kind = "entity"
	HTTP         Kind = "http"
	Trigger      Kind = "trigger"
)

// Kinds lists the kinds of functions.
func Kinds() []Kind { return []Kind{Orchestrator, Activity, Entity, HTTP, Trigger} }

// BindingKinds lists the triggers that a function of the kind [Trigger] can have.
func BindingKinds() []string { return []string{"queue", "timer", "blob", "servicebus", "eventgrid"} }

// binding is the trigger of a function, in the words of its code and its
// function.json.
type binding struct {
	// Does, What and Again are parts of sentences.
	Does, What, Again string
	// Message declares the type of messages, where they have one of their own.
	Message string
	// Type and Arg are the type and the name of the message; Log are further arguments
	// of the log line, and ID is an expression for an instance id.
	Type, Arg, Log, ID string
	// Sample is a message for the test.
	Sample string
	// json is the trigger in function.json.
	json string
}

const messageType = `// Message is what a message has, as JSON.
type Message struct {
	ID string ` + "`json:\"id\"`" + `
}
`

// bindings are made for a function name in lower case.
func bindings(kind, name string) (binding, error) {
	queue := name
	if len(queue) < 3 { // the least that a queue's name can have
		queue += "-queue"
	}
	switch kind {
	case "", "queue":
		return ofQueue(name, "takes messages from a queue", "queueTrigger", queue, "AzureWebJobsStorage"), nil
	case "timer":
		return binding{
			Does: "runs on a schedule", What: "a tick of the timer", Again: "log it and wait for the next tick",
			Message: "// Tick is what the host tells of a tick.\ntype Tick struct {\n\t// IsPastDue means that the app was not running when the tick was due.\n\tIsPastDue bool\n}\n",
			Type:    "Tick", Arg: "tick", Log: `, "late", tick.IsPastDue`, ID: `"` + name + `"`,
			Sample: name + `.Tick{}`,
			json:   `"type": "timerTrigger", "direction": "in", "name": "timer", "schedule": "0 */5 * * * *"`,
		}, nil
	case "blob":
		return binding{
			Does: "is run for each new blob of a container", What: "a blob that was written", Again: "try it again",
			Type: "[]byte", Arg: "content", Log: `, "bytes", len(content)`, ID: `"` + name + `-"+trigger.InvocationID`,
			Sample: `[]byte("tea")`,
			json:   fmt.Sprintf(`"type": "blobTrigger", "direction": "in", "name": "blob", "path": "%s/{name}", "connection": "AzureWebJobsStorage"`, queue),
		}, nil
	case "servicebus":
		return ofQueue(name, "takes messages from a queue of Service Bus", "serviceBusTrigger", queue, "ServiceBusConnection"), nil
	case "eventgrid":
		return binding{
			Does: "is run for each event of Event Grid", What: "an event", Again: "deliver it again",
			Message: "// Event is what an event has, as far as it is needed here.\ntype Event struct {\n\tID      string `json:\"id\"`\n\tSubject string `json:\"subject\"`\n}\n",
			Type:    "Event", Arg: "event", Log: `, "id", event.ID, "subject", event.Subject`, ID: `"` + name + `-"+event.ID`,
			Sample: name + `.Event{ID: "7", Subject: "tea"}`,
			json:   `"type": "eventGridTrigger", "direction": "in", "name": "event"`,
		}, nil
	}
	return binding{}, wrongName("there is no trigger %q; there are %s", kind, strings.Join(BindingKinds(), ", "))
}

// ofQueue is the binding of a trigger that takes messages from a queue.
func ofQueue(name, does, trigger, queue, connection string) binding {
	return binding{
		Does: does, What: "a message of the queue", Again: "deliver it again",
		Message: messageType, Type: "Message", Arg: "message", Log: `, "id", message.ID`, ID: `"` + name + `-"+message.ID`,
		Sample: name + `.Message{ID: "7"}`,
		json:   fmt.Sprintf(`"type": %q, "direction": "in", "name": "message", "queueName": %q, "connection": %q`, trigger, queue, connection),
	}
}
