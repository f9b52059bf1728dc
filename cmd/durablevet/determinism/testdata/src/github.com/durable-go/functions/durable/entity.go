package durable

type (
	EntityContext struct{ _ int }
	EntityID      struct{ Name, Key string }

	Entity[State any]             struct{ _ State }
	Operation[In, Out any]        struct{ run func(In) Out }
	View[In, Out any]             struct{ run func(In) Out }
	operation[State, In, Out any] = func(s *State, ctx *EntityContext, in In) (Out, error)
)

func NewEntity[State any](name string) *Entity[State] { return nil }
func (e *Entity[State]) ID(key string) EntityID       { return EntityID{} }
func (e *Entity[State]) registration()                {}
func NewOperation[State, In, Out any](e *Entity[State], name string, run operation[State, In, Out]) *Operation[In, Out] {
	return nil
}
func NewView[State, In, Out any](e *Entity[State], name string, run func(s State, in In) (Out, error)) *View[In, Out] {
	return nil
}
func (o *Operation[In, Out]) Call(ctx *Context, key string, in In) *Task[Out] { return nil }
func Critical[T any](ctx *Context, f func() (T, error), ids ...EntityID) (v T, err error) {
	return v, nil
}
