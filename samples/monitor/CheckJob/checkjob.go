// Package checkjob is the activity CheckJob.
package checkjob

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/durable-go/functions/durable"
)

// takes is how long a job takes after the first look at it.
const takes = 2 * time.Second

// jobs stand in for a service that has no way to call back.
var jobs = struct {
	sync.Mutex
	begun map[string]time.Time
}{begun: map[string]time.Time{}}

// Activity reports whether a job is done.
var Activity = durable.NewActivity("CheckJob", func(ctx context.Context, job string) (bool, error) {
	jobs.Lock()
	defer jobs.Unlock()
	if _, known := jobs.begun[job]; !known {
		jobs.begun[job] = time.Now()
	}
	done := time.Since(jobs.begun[job]) >= takes
	slog.InfoContext(ctx, "looked at the job", "job", job, "done", done)
	return done, nil
})
