package management

import (
	"net/http"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// counted is the answer of GET count: how many instances match, by status and by
// name. What a request counts in its time is a part; Token is where to go on.
type counted struct {
	Total    int            `json:"total"`
	ByStatus map[string]int `json:"byStatus"`
	ByName   map[string]int `json:"byName"`
	More     bool           `json:"more"`
	Token    string         `json:"token,omitempty"`
}

// countAll answers GET count. It takes what a search takes, and counts everything,
// in as many requests as that needs.
func (c *call) countAll(w http.ResponseWriter, r *http.Request) {
	q, err := c.searchFilter()
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	q.WithoutPayloads, q.Max, q.Token = true, taskhub.MaxPage, c.query.get("token")
	out := counted{ByStatus: map[string]int{}, ByName: map[string]int{}}
	for begun := time.Now(); ; {
		page, err := c.Client.List(r.Context(), q)
		if err != nil {
			c.writeFailure(w, r, err)
			return
		}
		out.Total += len(page.Instances)
		for _, row := range page.Instances {
			out.ByStatus[row.Shown().String()]++
			out.ByName[row.Name]++
		}
		q.Token, out.Token = page.Token, page.Token
		if out.More = page.Token != ""; !out.More || time.Since(begun) > batchBudget {
			break
		}
	}
	c.writeView(w, r, out)
}
