package engine_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// option finds the value of an option among words, such as max=3.
func option(words []string, name string) string {
	for _, word := range words {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}

// plain are the words that are no options, up to the first keyword.
func plain(words []string) (out []string) {
	for _, word := range words {
		if word == "retry" || word == "id" {
			break
		}
		if !strings.Contains(word, "=") {
			out = append(out, word)
		}
	}
	return out
}

func call(words []string) *engine.Call {
	c := &engine.Call{Name: words[0], Retry: retry(words), Tags: tags(words), Version: option(words, "version")}
	if args := plain(words); len(args) > 1 {
		c.Input = history.Payload(args[1])
	}
	if c.Retry != nil {
		c.Options = func(attempt int, _ int32) history.Payload { return history.Payload(fmt.Sprintf("attempt %d", attempt)) }
	}
	return c
}

// retry is the policy that the words after "retry" say.
func retry(words []string) *engine.Retry {
	n := slices.Index(words, "retry")
	if n < 0 {
		return nil
	}
	p := &engine.Retry{First: duration(words[n+2]), Timeout: time.Hour, Decide: decide}
	p.MaxAttempts, _ = strconv.Atoi(words[n+1])
	p.Backoff, _ = strconv.ParseFloat(words[n+3], 64)
	p.Jitter, _ = strconv.ParseFloat(option(words, "jitter"), 64)
	if longest := option(words, "max"); longest != "" {
		p.Max = duration(longest)
	}
	return p
}

func tags(words []string) map[string]string {
	name, value, ok := strings.Cut(option(words, "tag"), ":")
	if !ok {
		return nil
	}
	return map[string]string{name: value}
}

// decide retries unless the failure says how it wants to be treated.
func decide(failure *engine.Failure, _ int) (bool, *time.Duration) {
	switch failure.Details.ErrorMessage {
	case "give up":
		return false, nil
	case "come in 7s":
		after := 7 * time.Second
		return true, &after
	case "panic":
		panic("in the handler")
	}
	return true, nil
}

func child(words []string) *engine.Child {
	c := &engine.Child{Name: words[0], Retry: retry(words), Tags: tags(words), Version: option(words, "version")}
	if args := plain(words); len(args) > 1 {
		c.Input = history.Payload(args[1])
	}
	if n := slices.Index(words, "id"); n >= 0 {
		c.InstanceID = words[n+1]
	}
	return c
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}
