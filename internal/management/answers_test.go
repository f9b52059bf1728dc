package management

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// The names of parameters are compared without case, those of a signature too.
func TestSpellingOfASignature(t *testing.T) {
	s := newSite(t)
	s.lived(t, "i", history.Running)
	query := strings.NewReplacer("op=", "OP=", "sig=", "Sig=").Replace(s.sign(t, "i", opStatus))
	if w := s.do(http.MethodGet, links+"/instances/i?"+query, ""); w.Code != http.StatusAccepted {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The URL that a status gives to ask again repeats what was asked and no key.
func TestLocationOfAStatus(t *testing.T) {
	s := newSite(t)
	s.lived(t, "i", history.Running)
	w := s.do(http.MethodGet, operators+"/instances/i?showHistory=true&CODE=topsecret&code=topsecret&x=a%26b", "")
	location := w.Header().Get("Location")
	if strings.Contains(location, "topsecret") || !strings.Contains(location, "&showHistory=true&x=a%26b") {
		t.Error(location)
	}
	again := s.do(http.MethodGet, strings.TrimPrefix(location, "http://localhost:7071"), "")
	if again.Code != http.StatusAccepted || !strings.Contains(again.Body.String(), "historyEvents") || again.Header().Get("Location") != location {
		t.Errorf("%d %s, Location %s", again.Code, again.Body, again.Header().Get("Location"))
	}
}

// A link does not live longer by being used.
func TestLocationOfALinkThatEnds(t *testing.T) {
	s := newSite(t)
	s.lived(t, "i", history.Running)
	s.Links.Lifetime = time.Hour
	location, err := s.Links.Status(t.Context(), httptest.NewRequest(http.MethodGet, "http://localhost:7071/", nil), "i")
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Minute)
	w := s.do(http.MethodGet, strings.TrimPrefix(location, "http://localhost:7071"), "")
	if w.Code != http.StatusAccepted || w.Header().Get("Location") != location {
		t.Errorf("%d, Location %s, want %s", w.Code, w.Header().Get("Location"), location)
	}
}

// Nothing keeps a copy of an answer, and no browser takes it for a page.
func TestAnswersAreNotStored(t *testing.T) {
	s := newSite(t)
	s.lived(t, "i", history.Running)
	for _, target := range []string{operators + "/instances", operators + "/instances/i", operators + "/nothing", links + "/instances/i", links + "/instances/i?" + s.sign(t, "i", opStatus)} {
		if w := s.do(http.MethodGet, target, ""); w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", target, w.Header())
		}
	}
}

// A page of another site cannot have a browser change anything, where no key is
// needed.
func TestPagesOfOtherSites(t *testing.T) {
	for _, c := range []struct {
		name   string
		front  Front
		method string
		header []string
		want   int
	}{
		{"no browser", Front{}, "POST", nil, 202},
		{"the same page", Front{}, "POST", []string{"Origin", "http://localhost:7071", "Sec-Fetch-Site", "same-origin"}, 202},
		{"an older browser", Front{}, "POST", []string{"Origin", "http://localhost:7071"}, 202},
		{"behind the host", Front{Host: true}, "POST", []string{"Origin", "https://app.example", "X-Forwarded-Host", "app.example"}, 202},
		{"another origin", Front{}, "POST", []string{"Origin", "https://evil.example"}, 403},
		{"another port", Front{}, "POST", []string{"Origin", "http://localhost:3000"}, 403},
		{"no origin", Front{}, "POST", []string{"Origin", "null"}, 403},
		{"cross-site", Front{}, "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a forwarded host that nobody set", Front{}, "POST", []string{"Origin", "https://evil.example", "X-Forwarded-Host", "evil.example"}, 403},
		{"a key in a header", Front{}, "POST", []string{"Origin", "https://portal.example", "X-Functions-Key", "k"}, 202},
		{"reading", Front{}, "GET", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 202},
	} {
		s := newSite(t)
		s.Links.Front = c.front
		s.lived(t, "i", history.Running)
		path := operators + "/instances/i"
		if c.method == http.MethodPost {
			path += "/terminate?code=anything"
		}
		if w := s.do(c.method, path, "", c.header...); w.Code != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body, c.want)
		}
		s.put(t, "j", history.Running)
		if w := s.do(http.MethodPost, links+"/instances/j/terminate?"+s.sign(t, "j", opTerminate), "", c.header...); w.Code != 202 {
			t.Errorf("%s, by a link: %d %s", c.name, w.Code, w.Body)
		}
	}
}
