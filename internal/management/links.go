package management

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Operations that a link can allow.
const (
	opStatus    = "status"
	opRaise     = "raise"
	opTerminate = "terminate"
	opRewind    = "rewind"
	opPurge     = "purge"
	opRestart   = "restart"
	opSuspend   = "suspend"
	opResume    = "resume"
	// opEntity reads the state of an entity.
	opEntity = "entity"
)

// Links makes the management URLs of instances.
type Links struct {
	Keys *Keys
	// Path is where the links' door is mounted, such as
	// "/api/durabletask-links".
	Path string
	// Front says what they begin with.
	Front
	// Lifetime is how long links are good; 0: as long as the key.
	Lifetime time.Duration
}

// member is one URI of the check-status payload. {eventName} and {text} are
// placeholders for the caller.
type member struct{ name, op, path string }

var members = []member{
	{"statusQueryGetUri", opStatus, ""},
	{"sendEventPostUri", opRaise, "/raiseEvent/{eventName}"},
	{"terminatePostUri", opTerminate, "/terminate"},
	{"rewindPostUri", opRewind, "/rewind"},
	{"purgeHistoryDeleteUri", opPurge, ""},
	{"restartPostUri", opRestart, "/restart"},
	{"suspendPostUri", opSuspend, "/suspend"},
	{"resumePostUri", opResume, "/resume"},
}

// startMembers are the members in the answer to a start through the API, where
// the official extension leaves one out.
var startMembers = slices.DeleteFunc(slices.Clone(members), func(m member) bool { return m.op == opRewind })

// withReason are the operations whose URI has a reason for the caller to fill
// in.
var withReason = map[string]bool{opTerminate: true, opRewind: true, opSuspend: true, opResume: true}

// Status is the URL of an instance's status.
func (l *Links) Status(ctx context.Context, r *http.Request, id string) (string, error) {
	return l.uri(ctx, l.base(r), id, members[0])
}

// Payload is the official check-status payload, in the official order.
func (l *Links) Payload(ctx context.Context, r *http.Request, id string) ([]byte, error) {
	return l.payload(ctx, r, id, members)
}

func (l *Links) payload(ctx context.Context, r *http.Request, id string, with []member) ([]byte, error) {
	base := l.base(r)
	dst := append([]byte(`{"id":`), history.AppendString(nil, id)...)
	for _, m := range with {
		uri, err := l.uri(ctx, base, id, m)
		if err != nil {
			return nil, err
		}
		dst = append(dst, `,"`+m.name+`":`...)
		dst = history.AppendString(dst, uri)
	}
	return append(dst, '}'), nil
}

// Entity is the URL of an entity's state. It allows to read that, and nothing else.
func (l *Links) Entity(ctx context.Context, r *http.Request, id history.EntityID) (string, error) {
	if err := id.Check(); err != nil {
		return "", err
	}
	query, err := l.sign(ctx, id.String(), opEntity)
	if err != nil {
		return "", err
	}
	key := id.Key
	if key == "" {
		key = emptyKey
	}
	return l.base(r) + l.Path + "/entities/" + url.PathEscape(id.Name) + "/" + url.PathEscape(key) + "?" + query, nil
}

// sign allows an operation on an instance, or on an entity, for as long as links are good.
func (l *Links) sign(ctx context.Context, id, op string) (query string, err error) {
	var expires time.Time
	if l.Lifetime > 0 {
		expires = l.Keys.now().Add(l.Lifetime)
	}
	return l.Keys.Sign(ctx, id, op, expires)
}

func (l *Links) uri(ctx context.Context, base, id string, m member) (string, error) {
	query, err := l.sign(ctx, id, m.op)
	if err != nil {
		return "", err
	}
	if withReason[m.op] {
		query = "reason={text}&" + query
	}
	return l.url(base, id, m, query), nil
}

// at is the URL of an instance with a signature that is there already.
func (l *Links) at(r *http.Request, id string, m member, query string) string {
	return l.url(l.base(r), id, m, query)
}

func (l *Links) url(base, id string, m member, query string) string {
	return base + mountPoint(l.Path) + "/instances/" + url.PathEscape(id) + m.path + "?" + query
}
