package worker

import "sync"

// recentItems is how many work items are remembered after their end.
const recentItems = 10_000

// workItems are the work items of this process, by logical id: one that comes
// again while it runs, or after it has ended here, is not run again.
type workItems struct {
	mu      sync.Mutex // guards the rest
	running map[string]*held
	recent  map[string]bool
	order   []string
}

// enter notes a work item. It returns the lease of the one that runs already,
// and whether the item has ended here; the caller runs it only when neither.
func (w *workItems) enter(id string, h *held) (running *held, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running == nil {
		w.running, w.recent = map[string]*held{}, map[string]bool{}
	}
	if w.recent[id] {
		return nil, true
	}
	if running := w.running[id]; running != nil {
		return running, false
	}
	w.running[id] = h
	return nil, false
}

// leave notes the end of a work item. done says that its result is durable.
func (w *workItems) leave(id string, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, id)
	if !done || w.recent[id] {
		return
	}
	w.recent[id] = true
	w.order = append(w.order, id)
	if len(w.order) > recentItems {
		delete(w.recent, w.order[0])
		w.order = w.order[1:]
	}
}
