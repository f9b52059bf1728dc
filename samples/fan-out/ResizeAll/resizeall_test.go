package resizeall_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/durabletest"
	resizeall "github.com/durable-go/functions/samples/fan-out/ResizeAll"
	resizepicture "github.com/durable-go/functions/samples/fan-out/ResizePicture"
)

func pictures(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%d.png", i))
	}
	return all
}

// What cannot be read is reported, beside the thumbnails of the others.
func TestPartialFailure(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, resizeall.Orchestrator, []string{"a.png", "b.txt", "c.jpg"})
		report, err := i.Result()
		if err != nil || len(report.Thumbnails) != 2 || len(report.Failures) != 1 || report.Failures[0].Picture != "b.txt" {
			t.Errorf("got %+v, %v", report, err)
		}
		if i.CustomStatus() != `{"done":3,"total":3}` {
			t.Errorf("status %s", i.CustomStatus())
		}
	}, resizeall.Orchestrator, resizepicture.Activity)
}

// At most ten pictures are worked on at a time, and the status shows how many are
// done.
func TestLimitAndProgress(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		var now, most atomic.Int32
		durabletest.Replace(env, resizepicture.Activity, func(_ context.Context, picture string) (resizepicture.Thumbnail, error) {
			most.Store(max(most.Load(), now.Add(1)))
			<-time.After(time.Second)
			now.Add(-1)
			return resizepicture.Thumbnail{Picture: picture}, nil
		})
		i := durabletest.Start(env, resizeall.Orchestrator, pictures(25))
		env.Advance(1500 * time.Millisecond)
		if i.CustomStatus() != `{"done":10,"total":25}` {
			t.Errorf("status %s", i.CustomStatus())
		}
		if report, err := i.Result(); err != nil || len(report.Thumbnails) != 25 || most.Load() != 10 {
			t.Errorf("%d thumbnails, %d at once, %v", len(report.Thumbnails), most.Load(), err)
		}
	}, resizeall.Orchestrator, resizepicture.Activity)
}

// A disk that is full for a moment costs no picture.
func TestRetry(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		env.Fail("ResizePicture", 2, errors.New("the disk is full"))
		if report, err := durabletest.Start(env, resizeall.Orchestrator, pictures(3)).Result(); err != nil || len(report.Thumbnails) != 3 {
			t.Errorf("got %+v, %v", report, err)
		}
	}, resizeall.Orchestrator, resizepicture.Activity)
}

// The process ends at each of its storage calls in turn; no picture is missing.
func TestPicturesOutliveCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		report, err := durabletest.Start(env, resizeall.Orchestrator, pictures(12)).Result()
		if err != nil || len(report.Thumbnails) != 12 || report.Thumbnails[11].Picture != "11.png" {
			t.Errorf("got %+v, %v", report, err)
		}
	}, resizeall.Orchestrator, resizepicture.Activity)
}
