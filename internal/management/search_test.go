package management

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func foundIDs(f found) string {
	var ids []string
	for _, r := range f.Instances {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

// shop is a site with some instances.
func shop(t *testing.T) *site {
	s := newSite(t)
	root := int32(0)
	add := func(id string, status history.Status, minutes int, change func(*taskhub.Instance)) {
		s.put(t, id, status, func(r *taskhub.Instance) {
			r.Created, r.Updated, r.Generation = begin.Add(time.Duration(-minutes)*time.Minute), begin.Add(time.Duration(-minutes)*time.Minute), &root
			change(r)
		})
	}
	none := func(*taskhub.Instance) {}
	add("c", history.Completed, 30, none)
	add("a", history.Failed, 20, func(r *taskhub.Instance) { r.Name = "Other" })
	add("b", history.Running, 10, func(r *taskhub.Instance) { r.Tags = map[string]string{"region": "eu"} })
	add("b:0", history.Running, 9, func(r *taskhub.Instance) { r.Generation = nil })
	add("p", history.Running, 5, func(r *taskhub.Instance) { r.Parked, r.Version = "why", "2" })
	add("old", history.Completed, 60*24*40, none)
	add("@counter@k", history.Running, 1, none)
	return s
}

func TestSearch(t *testing.T) {
	s := shop(t)
	cases := []struct{ query, want string }{
		{"", "p b:0 b a c old"},
		{"rootsOnly=true", "p b a c old"},
		{"runtimeStatus=Failed", "a"},
		{"runtimeStatus=suspended,failed", "p a"},
		{"name=oTHER", "a"},
		{"tag=region=eu", "b"},
		{"tag=region=us", ""},
		{"version=2", "p"},
		{"instanceIdPrefix=b", "b:0 b"},
		{"createdTimeFrom=" + begin.Add(-15*time.Minute).Format(time.RFC3339), "p b:0 b"},
		{"createdTimeTo=" + begin.Add(-15*time.Minute).Format(time.RFC3339), "a c old"},
		{"updatedTimeFrom=" + begin.Add(-6*time.Minute).Format(time.RFC3339), "p"},
		{"top=2", "p b:0"},
	}
	for _, c := range cases {
		if got := foundIDs(read[found](t, s, "/search?"+c.query)); got != c.want {
			t.Errorf("%s: %q, want %q", c.query, got, c.want)
		}
	}
	for _, bad := range []string{"tag=x", "tag==x", "runtimeStatus=Odd", "createdTimeFrom=never", "rootsOnly=perhaps", "top=0"} {
		if w := s.do(http.MethodGet, operators+"/search?"+bad, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}

func TestSearchCounts(t *testing.T) {
	got := read[found](t, shop(t), "/search")
	if got.Total != 6 || got.More || got.Partial || got.Parked != 1 || got.ByStatus["Running"] != 2 || got.ByStatus["Suspended"] != 1 {
		t.Errorf("%+v", got)
	}
	if len(got.ByName) != 2 || got.ByName[0].Total != 5 || got.ByName[1].Failed != 1 {
		t.Errorf("names %+v", got.ByName)
	}
	sum := 0
	for _, b := range got.Histogram.Buckets {
		sum += b.Completed + b.Failed + b.Other
	}
	if sum != 6 || len(got.Histogram.Buckets) > buckets+1 {
		t.Errorf("%d in %d buckets", sum, len(got.Histogram.Buckets))
	}
	if fmt.Sprint(got.Tags, got.Versions) != "[region=eu] [2]" {
		t.Errorf("tags %v, versions %v", got.Tags, got.Versions)
	}
}

// A row that cannot be read, or that has a time from a wrong clock, is a row.
func TestSearchOfOddRows(t *testing.T) {
	s := newSite(t)
	root := int32(0)
	s.put(t, "future", history.Running, func(r *taskhub.Instance) { r.Created, r.Generation = begin.AddDate(500, 0, 0), &root })
	s.put(t, "past", history.Running, func(r *taskhub.Instance) {
		r.Created, r.Generation = time.Date(1700, 1, 2, 0, 0, 0, 0, time.UTC), &root
	})
	if got := read[found](t, s, "/search"); foundIDs(got) != "future past" || len(got.Histogram.Buckets) > buckets+1 {
		t.Errorf("%+v", got)
	}
}

// Of a large hub the newest are found with a bounded number of requests.
func TestSearchOfManyIsBounded(t *testing.T) {
	s := newSite(t)
	for i := range 11_000 {
		s.put(t, fmt.Sprintf("%05d", (i*7919)%11_000), history.Completed, func(r *taskhub.Instance) { r.Created = begin.Add(-time.Duration(i) * time.Second) })
	}
	got := read[found](t, s, "/search?top=5")
	if len(got.Instances) != 5 || got.Requests > 60 || !got.More || got.Partial || got.Since == nil {
		t.Fatalf("%d instances, %d requests, more %v, partial %v, since %v", len(got.Instances), got.Requests, got.More, got.Partial, got.Since)
	}
	for i, r := range got.Instances {
		if want := begin.Add(-time.Duration(i) * time.Second); !r.Created.Equal(want) {
			t.Errorf("number %d was created %v, want %v", i, r.Created, want)
		}
	}
}

// Of many that have failed the newest are found without reading all of them; where few
// have, all are found at once.
func TestSearchOfFailuresReadsNoMoreThanItShows(t *testing.T) {
	s := newSite(t)
	const many = 4000
	for i := range many {
		s.put(t, fmt.Sprintf("%05d", (i*7919)%many), history.Failed, func(r *taskhub.Instance) { r.Created = begin.Add(-time.Duration(i) * 10 * time.Minute) })
	}
	s.put(t, "once", history.Terminated, func(r *taskhub.Instance) { r.Created = begin.Add(-1000 * time.Hour) })
	got := read[found](t, s, "/search?runtimeStatus=Failed&top=50")
	if len(got.Instances) != 50 || got.Requests != 2 || !got.More || got.Partial || got.Since == nil {
		t.Errorf("%d instances, %d requests, more %v, partial %v, since %v", len(got.Instances), got.Requests, got.More, got.Partial, got.Since)
	}
	for i, r := range got.Instances {
		if want := begin.Add(-time.Duration(i) * 10 * time.Minute); !r.Created.Equal(want) {
			t.Errorf("number %d was created %v, want %v", i, r.Created, want)
		}
	}
	if few := read[found](t, s, "/search?runtimeStatus=Terminated"); foundIDs(few) != "once" || few.Requests != 1 || few.More || few.Since != nil {
		t.Errorf("%+v", few)
	}
}

func TestBatch(t *testing.T) {
	s := shop(t)
	post := func(target string, headers ...string) (int, batchResult) {
		w := s.do(http.MethodPost, operators+target, "", headers...)
		var r batchResult
		if w.Code == http.StatusOK {
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
		}
		return w.Code, r
	}
	if code, r := post("/batch/purge?dryRun=true"); code != 200 || r.Matched != 3 || r.Done != 0 {
		t.Errorf("dry run: %d %+v", code, r)
	}
	if _, err := s.hub.Instance(t.Context(), "c"); err != nil {
		t.Errorf("a dry run removed something: %v", err)
	}
	if code, r := post("/batch/purge?runtimeStatus=Completed&createdTimeFrom=2026-03-04"); code != 200 || r.Done != 1 || r.More {
		t.Errorf("purge: %d %+v", code, r)
	}
	if code, r := post("/batch/suspend?rootsOnly=true&runtimeStatus=Running&reason=night"); code != 200 || r.Done != 1 || r.Failed != 0 {
		t.Errorf("suspend: %d %+v", code, r)
	}
	// A filter for statuses that the operation is not for matches nothing.
	if code, r := post("/batch/terminate?runtimeStatus=Completed"); code != 200 || r.Matched != 0 {
		t.Errorf("terminate of what has finished: %d %+v", code, r)
	}
	for target, want := range map[string]int{"/batch/explode": 404, "/batch/purge?dryRun=x": 400, "/batch/purge?runtimeStatus=Odd": 400} {
		if code, _ := post(target); code != want {
			t.Errorf("%s: %d, want %d", target, code, want)
		}
	}
}

// Where actions are off, the page gets none; others are as they were.
func TestActionsAreOff(t *testing.T) {
	s := shop(t)
	for _, target := range []string{"/instances/b/terminate", "/batch/purge", "/orchestrators/Orchestrator"} {
		if w := s.do(http.MethodPost, operators+target, "", pageHeader, "1"); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "dashboardActions") {
			t.Errorf("%s from the page: %d %s", target, w.Code, w.Body)
		}
	}
	if w := s.do(http.MethodPost, operators+"/instances/b/terminate", ""); w.Code != http.StatusAccepted {
		t.Errorf("from a tool: %d", w.Code)
	}
	s.Site.Actions = true
	if w := s.do(http.MethodPost, operators+"/instances/p/terminate", "", pageHeader, "1"); w.Code != http.StatusAccepted {
		t.Errorf("from the page that may: %d %s", w.Code, w.Body)
	}
}

func TestStartWithTagsAndTime(t *testing.T) {
	s := newSite(t)
	at := begin.Add(time.Hour).Truncate(time.Second)
	if w := s.do(http.MethodPost, operators+"/orchestrators/Orchestrator/i?tag=a=b=c&tag=d=&version=3&scheduledStartTime="+at.Format(time.RFC3339), ""); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	row, err := s.hub.Instance(t.Context(), "i")
	if err != nil || row.Tags["a"] != "b=c" || row.Version != "3" || !row.Scheduled.Equal(at) {
		t.Errorf("%+v, %v", row, err)
	}
	for _, bad := range []string{"tag=x", "scheduledStartTime=later", "scheduledStartTime=2099-01-01"} {
		if w := s.do(http.MethodPost, operators+"/orchestrators/Orchestrator?"+bad, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}

// A count is of all that match, in parts where the hub has many.
func TestCount(t *testing.T) {
	s := shop(t)
	for query, want := range map[string]string{
		"":                        `{"total":6,"byStatus":{"Completed":2,"Failed":1,"Running":2,"Suspended":1},"byName":{"Orchestrator":5,"Other":1},"more":false}`,
		"rootsOnly=true&name=x":   `{"total":0,"byStatus":{},"byName":{},"more":false}`,
		"runtimeStatus=Completed": `{"total":2,"byStatus":{"Completed":2},"byName":{"Orchestrator":2},"more":false}`,
	} {
		w := s.do("GET", operators+"/count?"+query, "")
		if got := w.Body.String(); w.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d %s, want %s", query, w.Code, got, want)
		}
	}
	for _, bad := range []string{"runtimeStatus=Gone", "tag=x", "token=%00"} {
		if w := s.do("GET", operators+"/count?"+bad, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
	if w := s.do("GET", links+"/count", ""); w.Code != http.StatusNotFound {
		t.Errorf("through a link: %d", w.Code)
	}
}
