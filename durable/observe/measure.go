package observe

import "context"

// Quantity is what a [Measurement] is of. The set is closed: later versions may add to
// it, and an Observer leaves out those that it does not know.
type Quantity int

// Quantities that are measured when something happens, for [Observer.Measure].
const (
	// TurnTime is how long the code of the orchestrator Name ran in one turn, or while
	// its history was played again, in seconds; Detail is "turn" or "replay".
	TurnTime Quantity = iota
	// ReplayedEvents is the length of a history that the code of the orchestrator Name
	// was played over again, in events.
	ReplayedEvents
	// BatchSize is how many operations of the entity Name one commit has stored.
	BatchSize
	// StateSize is the length of the state of the entity Name that a commit has stored,
	// in bytes.
	StateSize
	// Backlog is how many messages a look into the inbox of an entity Name has found; a
	// long inbox is not counted to its end.
	Backlog
	// LockWait is how long a request for the lock of an entity Name has waited for it, in
	// seconds.
	LockWait
	// Poisoned counts messages that were moved away because no version has understood
	// them, or because a trigger function has failed too often; Name is the queue.
	Poisoned
	// Duplicates counts messages that were taken in before. Name is the kind of their
	// receiver, "orchestration" or "entity".
	Duplicates
	// Deferred counts the times that messages were put off, because nothing can be done
	// with them yet. Name is as for Duplicates, or "unreadable".
	Deferred
	// CacheLookups counts the times that work came for what may be in memory: Name is
	// "orchestration" or "entity", Detail "hit" or "miss". What begins is not looked for.
	CacheLookups
	// CacheEvictions counts what left the memory because that was full; Name is as for
	// CacheLookups.
	CacheEvictions
	// Spilled counts the bytes of payloads that fit no row and no message, and went into
	// a blob.
	Spilled
)

// Quantities that are read, for [Gauges].
const (
	// Slots is how many slots of this process for Name, "orchestrator", "entity" or
	// "activity", are in the state Detail, "used" or "free".
	Slots Quantity = iota + 1000
	// Waiting is how many activities wait for a slot in this process.
	Waiting
	// CacheSize is how many of Name, "orchestration" or "entity", are in memory here.
	CacheSize
	// Parked is how many instances of the orchestrator Name this process has found not
	// able to go on in the last minutes, and not found to go on since; Detail is why:
	// "nondeterministic", "blocked", "unknown", "unreadable" or "refused".
	Parked
	// QueueDepth is how many messages the queue Name has, about.
	QueueDepth
	// QueueAge is how long the first message that can be taken from the queue Name has
	// been there, in seconds; 0 where there is none.
	QueueAge
)

// Measurement is one value of a Quantity, whose comment says what Name and Detail are.
// Neither has the id of an instance.
type Measurement struct {
	Quantity     Quantity
	Name, Detail string
	Value        float64
}

// Gauges are the values of a process that are read when they are wanted. The functions
// may be called concurrently.
type Gauges struct {
	// Process reads what this process has, without a request.
	Process func() []Measurement
	// Queues reads the queues of the task hub, with two requests to the storage account
	// for each at most. What cannot be read is left out. nil where the queues are not
	// known.
	Queues func(ctx context.Context) []Measurement
}
