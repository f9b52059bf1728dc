// Package transcoder is the HTTP function Transcoder. It stands in for a service
// elsewhere that takes its time: it answers 202, and says where to ask again.
package transcoder

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// takes is how long a job takes.
const takes = time.Second

// Handler takes jobs by POST, whose ids say when they are done, and answers questions
// about them by GET.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if r.Method == http.MethodPost {
			var job struct {
				Video string `json:"video"`
			}
			if err := json.NewDecoder(r.Body).Decode(&job); err != nil || job.Video == "" {
				http.Error(w, "a job has a video", http.StatusBadRequest)
				return
			}
			id = strconv.FormatInt(time.Now().Add(takes).UnixMilli(), 10)
		}
		due, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		if time.Now().UnixMilli() < due {
			w.Header().Set("Location", "/api/transcoder/"+id)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "{\"file\":\"%s.mp4\"}\n", id)
	})
}
