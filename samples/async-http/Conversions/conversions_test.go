package conversions_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	conversions "github.com/durable-go/functions/samples/async-http/Conversions"
	convert "github.com/durable-go/functions/samples/async-http/Convert"
	convertpage "github.com/durable-go/functions/samples/async-http/ConvertPage"
)

func app() durabletest.Options {
	app := durable.NewApp()
	app.Register(convert.Orchestrator, convertpage.Activity)
	app.HandleHTTP("Conversions", conversions.Handler(app.Client()))
	return durabletest.Options{App: app}
}

// post sends a document.
func post(env *durabletest.Env, id, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, "/api/conversions/"+id, strings.NewReader(body))
	request.SetPathValue("id", id)
	answer := httptest.NewRecorder()
	env.HTTP("Conversions").ServeHTTP(answer, request)
	return answer
}

// A quick conversion is answered with its result, a slow one with where to ask for it,
// and one that is no document starts nothing.
func TestAnswers(t *testing.T) {
	app().Run(t, func(t *testing.T, env *durabletest.Env) {
		for _, c := range []struct {
			id, body string
			code     int
			has      string
		}{
			{"quick", `{"pages": ["a", "b"]}`, http.StatusOK, `["A","B"]`},
			{"slow", `{"pages": ["a"], "waitSeconds": 60}`, http.StatusAccepted, "statusQueryGetUri"},
			{"none", `{}`, http.StatusBadRequest, "pages"},
		} {
			if answer := post(env, c.id, c.body); answer.Code != c.code || !strings.Contains(answer.Body.String(), c.has) {
				t.Errorf("%s: %d %s", c.id, answer.Code, answer.Body)
			}
		}
		if got, err := durabletest.Find[[]string](env, "slow").Result(); err != nil || !slices.Equal(got, []string{"A"}) {
			t.Errorf("got %q, %v", got, err)
		}
		// The same request again: the result that is there.
		if answer := post(env, "slow", `{"pages": ["a"], "waitSeconds": 60}`); answer.Code != http.StatusOK || len(env.Calls("ConvertPage")) != 3 {
			t.Errorf("%d %s after %d pages", answer.Code, answer.Body, len(env.Calls("ConvertPage")))
		}
	})
}

// The process ends at each of its storage calls in turn; all pages are converted.
func TestConversionOutlivesCrashes(t *testing.T) {
	app().EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, convert.Orchestrator, convert.Document{Pages: []string{"a", "b"}, WaitSeconds: 5}).Result()
		if err != nil || !slices.Equal(got, []string{"A", "B"}) {
			t.Errorf("got %q, %v", got, err)
		}
	})
}
