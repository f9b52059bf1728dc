package transcode_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	publish "github.com/durable-go/functions/samples/callhttp/Publish"
	transcode "github.com/durable-go/functions/samples/callhttp/Transcode"
	transcoder "github.com/durable-go/functions/samples/callhttp/Transcoder"
)

// network is a transport that leads every request to a handler.
type network struct{ http.Handler }

func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	r.SetPathValue("id", strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/transcoder"), "/"))
	n.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// with makes an app whose requests go to a service.
func with(service http.Handler) durabletest.Options {
	app := durable.NewApp()
	app.UseHTTPClient(&http.Client{Transport: network{service}})
	app.Register(transcode.Orchestrator, publish.Activity)
	return durabletest.Options{App: app}
}

var job = transcode.Job{Service: "https://video.example/api/transcoder", Video: "cat"}

// A service that is busy at first and then takes its time is waited for.
func TestTranscode(t *testing.T) {
	var asked atomic.Int32
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 2 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		transcoder.Handler().ServeHTTP(w, r)
	})
	with(service).Run(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, transcode.Orchestrator, job).Result()
		if err != nil || !strings.HasSuffix(got.File, ".mp4") || asked.Load() < 4 || len(env.Calls("Publish")) != 1 {
			t.Errorf("got %+v, %v after %d requests", got, err, asked.Load())
		}
	})
}

// A service that refuses fails the orchestration with its words.
func TestRefused(t *testing.T) {
	with(transcoder.Handler()).Run(t, func(t *testing.T, env *durabletest.Env) {
		_, err := durabletest.Start(env, transcode.Orchestrator, transcode.Job{Service: job.Service}).Result()
		if err == nil || !strings.Contains(err.Error(), "a job has a video") {
			t.Errorf("failed with %v", err)
		}
	})
}

// The process ends at each of its storage calls in turn; the video is published.
func TestTranscodingOutlivesCrashes(t *testing.T) {
	with(transcoder.Handler()).EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, transcode.Orchestrator, job).Result()
		if err != nil || !strings.HasSuffix(got.File, ".mp4") {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
