package durable_test

import (
	"context"

	"github.com/durable-go/functions/durable"
)

func ExampleActivity_LimitConcurrency() {
	// The bank bears two requests at a time from each process.
	pay := durable.NewActivity("Pay", func(_ context.Context, amount int) (int, error) { return amount, nil })
	salaries := durable.NewOrchestrator("Salaries", func(ctx *durable.Context, amounts []int) ([]int, error) {
		return durable.Map(ctx, amounts, pay)
	})
	run(salaries, []int{1, 2, 3}, pay.LimitConcurrency(2))
	// Output: [1 2 3]
}

func ExampleWithTags() {
	audit := durable.NewActivity("Audit", func(ctx context.Context, _ durable.None) (string, error) {
		return durable.ActivityInfoFromContext(ctx).Tags["team"], nil
	})
	review := durable.NewOrchestrator("Review", func(ctx *durable.Context, _ durable.None) (string, error) {
		return audit.Call(ctx, durable.None{}, durable.WithTags(map[string]string{"team": "red"})).Await()
	})
	run(review, durable.None{}, audit)
	// Output: red
}
