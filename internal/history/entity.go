package history

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Names of the events by which entities are spoken to, those of the official engine.
const (
	// EntityOperation is an operation or a request for a lock. A delayed one of
	// official clients has the time behind it: op@2026-03-02T12:00:00.0000000Z.
	EntityOperation = "op"
	// EntityRelease ends a lock.
	EntityRelease = "release"
	// lockAcquired is the result that official entities answer a granted lock with.
	lockAcquired = `"Lock Acquisition Completed"`
)

// AnswerOptions are the options (Own.Options) of an EventRaised by which an entity
// answers a call: it is for that call alone, and no external event.
const AnswerOptions = `{"answer":true}`

// IsAnswer reports whether an event is the answer of an entity.
func IsAnswer(e *Event) bool {
	return e.Type == EventRaised && string(e.Own.Options) == AnswerOptions
}

// EntityID names an entity. The name is compared without case and kept in lower case,
// the key is compared as it is.
type EntityID struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// NewEntityID has the name in lower case. One that is not UTF-8 stays as it is, for Check.
func NewEntityID(name, key string) EntityID {
	if utf8.ValidString(name) {
		name = strings.ToLower(name)
	}
	return EntityID{name, key}
}

// String is the instance id of the entity: @name@key.
func (id EntityID) String() string { return "@" + id.Name + "@" + id.Key }

// Compare orders ids by name and key, as locks are acquired.
func (id EntityID) Compare(other EntityID) int {
	return cmp.Or(cmp.Compare(id.Name, other.Name), cmp.Compare(id.Key, other.Key))
}

// IsEntity reports whether an instance id is that of an entity.
func IsEntity(instanceID string) bool { return strings.HasPrefix(instanceID, "@") }

// ParseEntityID reads @name@key.
func ParseEntityID(instanceID string) (EntityID, error) {
	name, key, found := strings.Cut(strings.TrimPrefix(instanceID, "@"), "@")
	if !IsEntity(instanceID) || !found || name == "" {
		return EntityID{}, limit("the entity id", "%q is not of the form @name@key", instanceID)
	}
	return NewEntityID(name, key), nil
}

// Check finds what is wrong with an id that a caller chose: the name must not be empty
// nor contain @, and neither may have the characters that no instance id has. The key
// may be empty.
func (id EntityID) Check() error {
	const subject = "the entity id"
	text := id.String()
	switch {
	case id.Name == "":
		return limit(subject, "must have a name")
	case strings.Contains(id.Name, "@"):
		return limit(subject, "%q has an @ in its name", text)
	case !utf8.ValidString(text):
		return limit(subject, "must be valid UTF-8")
	case UTF16Len(text) > MaxInstanceID:
		return limit(subject, "is longer than %d characters", MaxInstanceID)
	}
	for _, r := range text {
		if strings.ContainsRune(`/\#?`, r) || isControl(r) {
			return limit(subject, "%q contains %q: slashes, backslashes, #, ? and control characters are not allowed", text, r)
		}
	}
	return nil
}

// EntityRequest is what an entity is asked for, in the official form. Members of our
// own begin with go.
type EntityRequest struct {
	// Operation is empty for a request for a lock.
	Operation string
	// Signal says that nothing waits for an answer.
	Signal bool
	Input  Payload
	// ID belongs to the request: a GUID in the D form. That of a lock names the
	// critical section.
	ID string
	// Parent and ParentExecution are the orchestration that asks; empty for clients.
	Parent, ParentExecution string
	// LockSet are the entities to lock, in their order, of which this is the one at
	// Position; nil for an operation.
	LockSet  []EntityID
	Position int
	// Section is the critical section in which an orchestration calls; empty: none.
	Section string
	// Client says that a client waits for the answer.
	Client bool
}

type wireRequest struct {
	Op              *string    `json:"op"`
	Signal          bool       `json:"signal,omitempty"`
	Input           *string    `json:"input,omitempty"`
	ID              string     `json:"id"`
	Parent          string     `json:"parent,omitempty"`
	ParentExecution string     `json:"parentExecution,omitempty"`
	LockSet         []EntityID `json:"lockset,omitempty"`
	Position        int        `json:"pos,omitempty"`
	IsLockRequest   bool
	Section         string `json:"goSection,omitempty"`
	Client          bool   `json:"goClient,omitempty"`
}

// IsLock reports whether the request is for a lock.
func (r *EntityRequest) IsLock() bool { return r.LockSet != nil }

// Encode is the request as the input of an event.
func (r *EntityRequest) Encode() Payload {
	w := wireRequest{
		Signal: r.Signal, ID: r.ID, Parent: r.Parent, ParentExecution: r.ParentExecution,
		LockSet: r.LockSet, Position: r.Position, IsLockRequest: r.IsLock(), Section: r.Section, Client: r.Client,
	}
	if !r.IsLock() {
		w.Op = &r.Operation
	}
	if r.Input != nil {
		input := string(r.Input)
		w.Input = &input
	}
	return encoded(w)
}

// encoded is the JSON of a value that always has one.
func encoded(v any) Payload {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, numbers and lists of them
	}
	return raw
}

// DecodeEntityRequest reads what an entity was asked for, by us or by official
// clients.
func DecodeEntityRequest(p Payload) (*EntityRequest, error) {
	var w wireRequest
	if err := json.Unmarshal(p, &w); err != nil {
		return nil, fmt.Errorf("decoding a request to an entity: %w", err)
	}
	if w.ID == "" {
		return nil, fmt.Errorf("decoding a request to an entity: it has no id")
	}
	r := &EntityRequest{
		Signal: w.Signal, Input: text(w.Input), ID: w.ID, Parent: w.Parent, ParentExecution: w.ParentExecution,
		LockSet: w.LockSet, Position: w.Position, Section: w.Section, Client: w.Client,
	}
	switch {
	case w.Op != nil && len(w.LockSet) == 0:
		r.Operation = *w.Op
	case w.Position < 0 || w.Position >= len(w.LockSet):
		return nil, fmt.Errorf("decoding a request to an entity: it is neither an operation nor one for a lock")
	}
	return r, nil
}

// EntityAnswer is the answer to a call: a result or a failure.
type EntityAnswer struct {
	Result  Payload
	Failure *FailureDetails
}

// LockAcquired answers a request for a lock.
func LockAcquired() *EntityAnswer { return &EntityAnswer{Result: Payload(lockAcquired)} }

type wireAnswer struct {
	Result    *string         `json:"result,omitempty"`
	Exception string          `json:"exceptionType,omitempty"`
	Failure   json.RawMessage `json:"failureDetails,omitempty"`
}

// Encode is the answer as the input of an event.
func (a *EntityAnswer) Encode() Payload {
	var w wireAnswer
	if a.Result != nil {
		result := string(a.Result)
		w.Result = &result
	}
	if a.Failure != nil {
		w.Exception, w.Failure = a.Failure.ErrorType, AppendFailure(nil, a.Failure)
	}
	return encoded(w)
}

// DecodeEntityAnswer reads an answer.
func DecodeEntityAnswer(p Payload) (*EntityAnswer, error) {
	var w wireAnswer
	var failure *wireFailure
	err := json.Unmarshal(p, &w)
	if err == nil && w.Failure != nil {
		err = json.Unmarshal(w.Failure, &failure)
	}
	if err != nil {
		return nil, fmt.Errorf("decoding the answer of an entity: %w", err)
	}
	a := &EntityAnswer{Result: text(w.Result), Failure: failure.details()}
	if a.Failure == nil && w.Exception != "" {
		a.Failure = &FailureDetails{ErrorType: w.Exception, ErrorMessage: string(a.Result)}
	}
	return a, nil
}

// EntityLockRelease ends the lock of a critical section.
type EntityLockRelease struct {
	Parent string `json:"parent"`
	ID     string `json:"id"`
}

// Encode is the release as the input of an event.
func (r EntityLockRelease) Encode() Payload { return encoded(r) }

// DecodeEntityRelease reads a release.
func DecodeEntityRelease(p Payload) (r EntityLockRelease, err error) {
	if err = json.Unmarshal(p, &r); err != nil {
		err = fmt.Errorf("decoding the release of a lock: %w", err)
	}
	return r, err
}

// EntityState is the state of an entity as its row and its history show it, in the
// form of the official scheduler.
type EntityState struct {
	// State is nil for an entity that does not exist.
	State    Payload
	LockedBy string
}

type wireState struct {
	Exists   bool     `json:"exists,omitempty"`
	State    *string  `json:"state,omitempty"`
	LockedBy string   `json:"lockedBy,omitempty"`
	Sorter   struct{} `json:"sorter"`
}

// Encode is the state as the input of an event or a row.
func (s EntityState) Encode() Payload {
	w := wireState{Exists: s.State != nil, LockedBy: s.LockedBy}
	if s.State != nil {
		state := string(s.State)
		w.State = &state
	}
	return encoded(w)
}

// DecodeEntityState reads a state.
func DecodeEntityState(p Payload) (s EntityState, err error) {
	var w wireState
	if p == nil {
		return s, nil
	}
	if err := json.Unmarshal(p, &w); err != nil {
		return s, fmt.Errorf("decoding the state of an entity: %w", err)
	}
	return EntityState{State: text(w.State), LockedBy: w.LockedBy}, nil
}

// EntityStatus is the custom status of an entity's row, in the official form.
type EntityStatus struct {
	Exists    bool   `json:"entityExists,omitempty"`
	QueueSize int    `json:"queueSize,omitempty"`
	LockedBy  string `json:"lockedBy,omitempty"`
}

// Encode is the status as a row has it.
func (s EntityStatus) Encode() Payload { return encoded(s) }

// DecodeEntityStatus reads a status; the zero value where there is none.
func DecodeEntityStatus(p Payload) (s EntityStatus) {
	_ = json.Unmarshal(p, &s) // what is none says nothing
	return s
}

// EntityDue reads the time in the name of a delayed operation of an official client;
// zero for all other names.
func EntityDue(name string) time.Time {
	at, delayed := strings.CutPrefix(name, EntityOperation+"@")
	if !delayed {
		return time.Time{}
	}
	due, err := ParseTime(at)
	if err != nil {
		return time.Time{}
	}
	return due
}
