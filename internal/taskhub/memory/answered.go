package memory

import (
	"context"

	"github.com/durable-go/functions/internal/history"
)

// Answered looks at the current history.
func (h *Hub) Answered(ctx context.Context, id string, task int32) (bool, error) {
	loaded, err := h.Load(ctx, id, 0)
	if err != nil {
		return false, err
	}
	for _, e := range loaded.Events {
		if (e.Type == history.TaskCompleted || e.Type == history.TaskFailed) && e.TaskID == task {
			return true, nil
		}
	}
	return false, nil
}
