package durable

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

func TestParseSettings(t *testing.T) {
	budget := 3 * time.Second
	base := settings{HubName: defaultHub, Lease: 30 * time.Second, MaxPoisonDeliveries: 5, MaxPayload: taskhub.MaxPayload, MaxWaiting: taskhub.MaxWaiting, MaxActions: worker.DefaultMaxActions}
	with := func(change func(*settings)) settings {
		s := base
		change(&s)
		return s
	}
	cases := []struct {
		name, section string
		want          settings
		unknown       []string
	}{
		{"nothing", ``, base, nil},
		{"null", `null`, base, nil},
		{"hub", `{"hubName":"MyHub1"}`, with(func(s *settings) { s.HubName = "MyHub1" }), nil},
		{"case of keys", `{"HUBNAME":"MyHub1"}`, with(func(s *settings) { s.HubName = "MyHub1" }), nil},
		{"waiting events", `{"maxWaitingEvents":"20"}`, with(func(s *settings) { s.MaxWaiting = 20 }), nil},
		{"payload", `{"maxPayload":20971520}`, with(func(s *settings) { s.MaxPayload = 20 << 20 }), nil},
		{"numbers as text", `{"maxConcurrentActivityFunctions":"7"}`, with(func(s *settings) { s.ActivitySlots = 7 }), nil},
		{"storage provider", `{"storageProvider":{"partitionCount":1,"controlQueueVisibilityTimeout":"00:00:01","type":"AzureStorage"}}`,
			with(func(s *settings) { s.Lease, s.Partitions = time.Second, 1 }), nil},
		{"queue dispatch", `{"dispatch":"queue"}`, with(func(s *settings) { s.DispatchQueue = true }), nil},
		{"fail", `{"nonDeterminism":"fail"}`, with(func(s *settings) { s.FailNonDeterminism = true }), nil},
		{"strict replay", `{"strictReplay":true}`, with(func(s *settings) { s.StrictReplay = true }), nil},
		{"durable HTTP", `{"httpSettings":{"defaultAsyncRequestSleepTimeMilliseconds":1500,"useForwardedHost":true}}`,
			with(func(s *settings) { s.HTTPSleep = 1500 * time.Millisecond }), []string{"httpSettings.useForwardedHost"}},
		{"links", `{"managementBaseUrl":"https://gateway/app1","linkLifetime":"7.00:00:00"}`, with(func(s *settings) { s.BaseURL, s.LinkLifetime = "https://gateway/app1", 7*24*time.Hour }), nil},
		{"budget", `{"localBudget":"00:00:03"}`, with(func(s *settings) { s.LocalBudget = &budget }), nil},
		{"unknown", `{"hubNam":"x","storageProvider":{"y":1},"tracing":{"a":1}}`, base, []string{"hubNam", "storageProvider.y", "tracing"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, unknown, err := parseSettings([]byte(c.section))
			if err != nil {
				t.Fatal(err)
			}
			if got.LocalBudget != nil && c.want.LocalBudget != nil && *got.LocalBudget == *c.want.LocalBudget {
				got.LocalBudget = c.want.LocalBudget
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if !slices.Equal(unknown, c.unknown) {
				t.Errorf("unknown keys %q, want %q", unknown, c.unknown)
			}
		})
	}
}

func TestParseSettingsNamesTheField(t *testing.T) {
	cases := []struct{ name, section, want string }{
		{"hub too short", `{"hubName":"ab"}`, "hubName"},
		{"hub from a setting", `{"hubName":"%TaskHub%"}`, "%TaskHub%"},
		{"hub not text", `{"hubName":1}`, "hubName"},
		{"base URL", `{"managementBaseUrl":"https://user:pw@gateway"}`, "managementBaseUrl: want a URL such as https://api.example.com: it must be a scheme"},
		{"no lifetime", `{"linkLifetime":"00:00:00"}`, "linkLifetime: links must be good"},
		{"lifetime", `{"linkLifetime":3600}`, "linkLifetime: 3600 is not a duration"},
		{"no waiting events", `{"maxWaitingEvents":0}`, "maxWaitingEvents"},
		{"small payload", `{"maxPayload":1000}`, "maxPayload: 1000 is not between"},
		{"huge payload", `{"maxPayload":1000000000}`, "maxPayload"},
		{"slots", `{"maxConcurrentActivityFunctions":0}`, "maxConcurrentActivityFunctions"},
		{"partitions", `{"storageProvider":{"partitionCount":4}}`, "partitionCount must be 1"},
		{"provider", `{"storageProvider":{"type":"mssql"}}`, "storageProvider.type"},
		{"lease", `{"storageProvider":{"controlQueueVisibilityTimeout":"1"}}`, "hh:mm:ss"},
		{"lease too short", `{"storageProvider":{"controlQueueVisibilityTimeout":"00:00:00.5"}}`, "between"},
		{"dispatch", `{"dispatch":"remote"}`, "local, queue"},
		{"strict replay", `{"strictReplay":"maybe"}`, "strictReplay"},
		{"poll at once", `{"httpSettings":{"defaultAsyncRequestSleepTimeMilliseconds":0}}`, "defaultAsyncRequestSleepTimeMilliseconds"},
		{"poll in two days", `{"httpSettings":{"defaultAsyncRequestSleepTimeMilliseconds":172800000}}`, "more than a day"},
		{"not an object", `[]`, "durableTask"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := parseSettings([]byte(c.section))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestClientOptionsThatCannotBe(t *testing.T) {
	for name, o := range map[string]ClientOptions{
		"MaxPayload -1":  {TaskHub: hubName, MaxPayload: -1},
		`LinksURL "ftp:`: {TaskHub: hubName, LinksURL: "ftp://myapp.example"},
	} {
		if _, err := newClientCore(nil, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
