package durable

import (
	"context"
	"strings"
	"testing"
	"time"
)

// What no history can hold is an error of the call, and the orchestration goes on.
func TestCallsThatCannotBeStoredFail(t *testing.T) {
	long := strings.Repeat("x", 257)
	tags := WithTags(map[string]string{"note": strings.Repeat("n", 40_000)})
	year := func(y int) time.Time { return time.Date(y, time.January, 1, 0, 0, 0, 0, time.UTC) }
	await := func(_ None, err error) error { return err }
	for name, c := range map[string]struct {
		call func(ctx *Context) error
		text string // empty: it works
	}{
		"activity without a name":   {func(ctx *Context) error { return await(CallActivity[None](ctx, "", nil).Await()) }, "1 to 256 bytes"},
		"activity with a long name": {func(ctx *Context) error { return await(CallActivity[None](ctx, long, nil).Await()) }, "not 257"},
		"activity with a line":      {func(ctx *Context) error { return await(CallActivity[None](ctx, "a\nb", nil).Await()) }, "control"},
		"activity that is no UTF-8": {func(ctx *Context) error { return await(CallActivity[None](ctx, "a\xff", nil).Await()) }, "UTF-8"},
		"activity with large tags":  {func(ctx *Context) error { return await(heldActivity.Call(ctx, None{}, tags).Await()) }, "the tags have as JSON 40011"},
		"retried with large tags": {func(ctx *Context) error {
			return await(heldActivity.Call(ctx, None{}, tags, WithRetry(RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})).Await())
		}, "the tags"},
		"step with large tags": {func(ctx *Context) error {
			return await(Step(ctx, "s", func(context.Context) (None, error) { return None{}, nil }, tags).Await())
		}, "the tags"},
		"child with large tags": {func(ctx *Context) error { return await(heldChild.Call(ctx, None{}, tags).Await()) }, "the tags"},
		"child with a tag of the hub's": {func(ctx *Context) error {
			return await(heldChild.Call(ctx, None{}, WithTags(map[string]string{"FireAndForget": ""})).Await())
		}, "another name"},
		"child with a long version": {func(ctx *Context) error { return await(heldChild.Call(ctx, None{}, WithVersion(long)).Await()) }, "the version"},
		"child with a bad id":       {func(ctx *Context) error { return await(heldChild.Call(ctx, None{}, WithInstanceID("a/b")).Await()) }, "slashes"},
		"child without a name":      {func(ctx *Context) error { return await(CallOrchestrator[None](ctx, "", nil).Await()) }, "the name of an orchestrator"},
		"detached with large tags": {func(ctx *Context) error {
			_, err := heldChild.StartDetached(ctx, None{}, tags)
			return err
		}, "the tags"},
		"event without a name":         {func(ctx *Context) error { return ctx.SendEvent("other", "", nil) }, "the name of an event"},
		"event for nobody":             {func(ctx *Context) error { return ctx.SendEvent("", "e", nil) }, "must not be empty"},
		"wait with a long name":        {func(ctx *Context) error { return await(WaitForEvent[None](ctx, long).Await()) }, "not 257"},
		"timer after the year 9999":    {func(ctx *Context) error { return await(ctx.NewTimerAt(year(10_000)).Await()) }, "year 10000"},
		"timer at the end of time":     {func(ctx *Context) error { return await(ctx.NewTimerAt(time.Unix(1<<55, 0)).Await()) }, "is in the year"},
		"timer for the zero time":      {func(ctx *Context) error { return await(ctx.NewTimerAt(time.Time{}).Await()) }, ""},
		"timer before Christ":          {func(ctx *Context) error { return await(ctx.NewTimerAt(year(-5)).Await()) }, ""},
		"timer before the first time":  {func(ctx *Context) error { return await(ctx.NewTimerAt(year(1600)).Await()) }, ""},
		"timer of the longest time":    {func(ctx *Context) error { ctx.NewTimer(1<<63 - 1).Cancel(); return nil }, ""},
		"event with the longest limit": {func(ctx *Context) error { WaitForEvent[None](ctx, "e", WithTimeout(1<<63-1)).Cancel(); return nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
				if err := c.call(ctx); err != nil {
					return err.Error(), nil
				}
				return "", nil
			})
			inHub(t, []Registration{o, heldChild, heldActivity}, func(h *hub) {
				got, err := result(h, o, None{}, nil)
				if err != nil || !strings.Contains(got, c.text) || (got == "") != (c.text == "") {
					h.t.Errorf("got %q, %v; want %q", got, err, c.text)
				}
			})
		})
	}
}
