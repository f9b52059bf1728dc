package durabletest

import "github.com/durable-go/functions/durable"

// Entity waits until the entity of the key has nothing to do at this moment, and
// returns its state as it was stored last. exists is false, and the state is the zero
// value, where the entity does not exist.
func Entity[S any](env *Env, e *durable.Entity[S], key string) (state S, exists bool) {
	env.t.Helper()
	env.Wait()
	state, exists, err := durable.ReadEntity[S](env.context(), env.Client(), e.ID(key))
	if err != nil {
		env.fatal("%v", err)
	}
	return state, exists
}
