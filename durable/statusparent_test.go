package durable

import "testing"

// The status of a child names its parent, also after it has continued as new; that of
// an instance that a client has started, or that an orchestration has started
// detached, names none.
func TestStatusNamesTheParent(t *testing.T) {
	child := NewOrchestrator("Child", func(ctx *Context, again bool) (bool, error) {
		if again {
			return ContinueAsNew[bool](ctx, false)
		}
		return true, nil
	})
	parent := NewOrchestrator("Parent", func(ctx *Context, _ None) (bool, error) {
		if _, err := child.StartDetached(ctx, false, WithInstanceID("alone")); err != nil {
			return false, err
		}
		return child.Call(ctx, true, WithInstanceID("child")).Await()
	})
	inHub(t, []Registration{parent, child}, func(h *hub) {
		startIt(h, parent, None{}, WithInstanceID("parent"))
		h.settle()
		for id, want := range map[string]string{"parent": "", "child": "parent", "alone": ""} {
			status, err := h.client().Status(h.t.Context(), id)
			if err != nil {
				h.t.Fatal(err)
			}
			if status.ParentInstanceID != want || status.RuntimeStatus != StatusCompleted {
				h.t.Errorf("%s is %s and names the parent %q, want %q", id, status.RuntimeStatus, status.ParentInstanceID, want)
			}
		}
	})
}
