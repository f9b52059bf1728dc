package management

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

// exportedRows is a body for an import: the history of an instance that has ended,
// without the rows that are left out.
func exportedRows(id, execution string, without ...history.Type) string {
	var rows []string
	for n, e := range []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: begin},
		{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: begin, Name: "Order", Input: history.Payload("7")},
		{Type: history.ExecutionCompleted, ID: 0, Timestamp: begin, Status: history.Completed, Result: history.Payload(`"sent"`)},
		{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: begin},
	} {
		for _, t := range without {
			if e.Type == t {
				e = &history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: begin}
			}
		}
		rows = append(rows, string(history.AppendRow(nil, id, fmt.Sprintf("%016X", n), execution, e, true)))
	}
	return "[" + strings.Join(rows, ",") + "]"
}

// An import says with its status what became of it; what it refuses it leaves alone.
func TestImportAnswers(t *testing.T) {
	s := newSite(t)
	s.put(t, "running", history.Running)
	rows := exportedRows("i", "x1")
	for _, c := range []struct {
		name, path, body string
		want             int
		says             string
	}{
		{"an empty body", "i/import", "", http.StatusBadRequest, "Invalid JSON"},
		{"an object", "i/import", "{}", http.StatusBadRequest, "Invalid JSON"},
		{"no rows", "i/import", "[]", http.StatusBadRequest, "not the whole history"},
		{"no row", "i/import", "[7]", http.StatusBadRequest, "not the whole history"},
		{"another instance", "j/import", rows, http.StatusBadRequest, `the instance \"i\"`},
		{"two executions", "i/import", strings.TrimSuffix(rows, "]") + "," + exportedRows("i", "x2")[1:], http.StatusBadRequest, "not the whole history"},
		{"a row is missing", "i/import", strings.Replace(rows, "0000000000000002", "0000000000000003", 1), http.StatusBadRequest, "not the whole history"},
		{"an unknown event", "i/import", strings.Replace(rows, "ExecutionCompleted", "ExecutionTeleported", 1), http.StatusBadRequest, "row 2"},
		{"no beginning", "i/import", exportedRows("i", "x1", history.ExecutionStarted), http.StatusBadRequest, "not the whole history"},
		{"no end", "i/import", exportedRows("i", "x1", history.ExecutionCompleted), http.StatusPreconditionFailed, "has not finished"},
		{"an entity", "@counter@a/import", exportedRows("@counter@a", "x1"), http.StatusBadRequest, "marks entities"},
		{"a new one", "i/import", rows, http.StatusCreated, ""},
		{"the same", "i/import", rows, http.StatusOK, ""},
		{"another execution", "i/import", exportedRows("i", "x2"), http.StatusConflict, "exists already"},
		{"in its place", "i/import?replace=true", exportedRows("i", "x2"), http.StatusCreated, ""},
		{"in the place of what runs", "running/import?replace=true", exportedRows("running", "x2"), http.StatusConflict, "has not finished yet"},
	} {
		w := s.do(http.MethodPost, operators+"/instances/"+c.path, c.body)
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s, want %d with %s", c.name, w.Code, w.Body, c.want, c.says)
		}
	}
	row, err := s.hub.Instance(t.Context(), "i")
	if err != nil || row.ExecutionID != "x2" || string(row.Output) != `"sent"` {
		t.Errorf("%+v, %v", row, err)
	}
}
