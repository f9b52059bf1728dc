package management

import (
	"net/http"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// emptyKey stands in a path for the key that is empty.
const emptyKey = "$"

// entity is the entity that a path names.
func (c *call) entity() history.EntityID {
	key := c.id
	if key == emptyKey {
		key = ""
	}
	return history.NewEntityID(c.name, key)
}

// subject is what a link must be signed for.
func (c *call) subject() string {
	if c.op == opEntity {
		return c.entity().String()
	}
	return c.id
}

// readEntity answers GET entities/{name}/{key}: the state that the entity has committed
// last.
func (c *call) readEntity(w http.ResponseWriter, r *http.Request) {
	snapshot, err := c.Client.ReadEntity(r.Context(), c.entity())
	switch {
	case err != nil:
		c.writeFailure(w, r, err)
	case snapshot.State == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		writeJSON(w, http.StatusOK, appendValue(nil, snapshot.State))
	}
}

// signalEntity answers POST entities/{name}/{key}?op=OPERATION. It is accepted when it
// is stored; whether there is such an operation shows when it runs.
func (c *call) signalEntity(w http.ResponseWriter, r *http.Request) {
	operation := c.query.get("op")
	if operation == "" {
		c.writeFailure(w, r, &parameterError{"op", "", "the name of an operation"})
		return
	}
	input, err := ReadInput(w, r, c.Client.MaxPayload())
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	c.signal(w, r, operation, input)
}

// deleteEntity answers DELETE entities/{name}/{key}: it signals the operation delete,
// which every entity has.
func (c *call) deleteEntity(w http.ResponseWriter, r *http.Request) { c.signal(w, r, "delete", nil) }

func (c *call) signal(w http.ResponseWriter, r *http.Request, operation string, input history.Payload) {
	err := c.Client.SignalEntities(r.Context(), client.EntityRequest{Entity: c.entity(), Operation: operation, Input: input})
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// listEntities answers GET entities and GET entities/{name}: one page of those that
// exist. The page can have fewer than asked for, even none, while the header names a
// next one.
func (c *call) listEntities(w http.ResponseWriter, r *http.Request) {
	q, err := c.entityFilter(r)
	var rows []client.EntityRow
	var token string
	if err == nil {
		rows, token, err = c.Client.ListEntities(r.Context(), q)
	}
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	if token != "" {
		w.Header().Set(tokenHeader, token)
	}
	if c.query.boolean("details", false) {
		c.writeView(w, r, entityRows(rows))
		return
	}
	body := []byte{'['}
	for i, row := range rows {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendEntity(body, &row)
	}
	writeJSON(w, http.StatusOK, append(body, ']'))
}

// entityFilter reads which entities to list.
func (c *call) entityFilter(r *http.Request) (q client.EntityQuery, err error) {
	q = client.EntityQuery{
		Name: c.name, KeyPrefix: c.query.get("keyPrefix"), WithoutState: !c.query.boolean("fetchState", false),
		Deleted: c.query.boolean("includeDeleted", false), Token: r.Header.Get(tokenHeader),
	}
	if q.Name == "" && q.KeyPrefix != "" {
		return q, &parameterError{"keyPrefix", q.KeyPrefix, "a prefix behind the name of an entity: entities/{name}?keyPrefix="}
	}
	if q.Max, err = c.query.count("top", taskhub.DefaultPage, taskhub.MaxPage); err != nil {
		return q, err
	}
	q.ChangedFrom, q.ChangedTo, err = c.query.between("lastOperationTimeFrom", "lastOperationTimeTo")
	return q, err
}

func appendEntity(dst []byte, row *client.EntityRow) []byte {
	dst = history.AppendString(append(dst, `{"entityId":{"name":`...), row.ID.Name)
	dst = history.AppendString(append(dst, `,"key":`...), row.ID.Key)
	dst = row.Changed.UTC().AppendFormat(append(dst, `},"lastOperationTime":"`...), "2006-01-02T15:04:05.0000000Z")
	return append(appendValue(append(dst, `","state":`...), row.State), '}')
}
