package durable

// None is an absent body: the input of an orchestrator that takes none, the
// result of an activity that has none.
type None struct{}
