package worker

import "sync"

// watches tell clients in this process that an instance's row has changed.
type watches struct {
	mu   sync.Mutex
	byID map[string]*watch
}

type watch struct {
	changed chan struct{}
	users   int
}

// Watch returns a channel that is closed when this process next changes the
// instance's row, and a function that ends the watch. Changes by other
// processes are not seen.
func (w *Worker) Watch(id string) (changed <-chan struct{}, stop func()) {
	return w.watches.add(id)
}

func (s *watches) add(id string) (<-chan struct{}, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]*watch{}
	}
	entry := s.byID[id]
	if entry == nil {
		entry = &watch{changed: make(chan struct{})}
		s.byID[id] = entry
	}
	entry.users++
	return entry.changed, func() { s.leave(id, entry) }
}

func (s *watches) leave(id string, entry *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.users--
	if entry.users == 0 && s.byID[id] == entry {
		delete(s.byID, id)
	}
}

func (s *watches) changed(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry := s.byID[id]; entry != nil {
		close(entry.changed)
		delete(s.byID, id)
	}
}
