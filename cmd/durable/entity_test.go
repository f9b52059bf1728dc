package main

import (
	"bytes"
	"strings"
	"testing"
)

// Entities are listed, shown, asked and cleaned both ways.
func TestEntities(t *testing.T) {
	a := startApp(t)
	sum := map[string]string{}
	for way, flags := range a.ways() {
		key := "key-" + way
		for _, c := range []outcomeCase{
			{"entity signal Counter " + key + " Add --input 2", 0, "", ""},
			{"entity call @counter@" + key + " add --input 3", 0, "5\n", ""},
			{"entity show COUNTER " + key, 0, "Entity:|@counter@" + key + "|State:|5|Has run:|add|at", ""},
			{"entity show @counter@" + key + " -o json", 0, `"state": 5`, ""},
			{"entity show @counter@" + key + " -o jsonl", 0, `"state":5`, ""},
			{"entity list --name counter --prefix key --since 1h -o wide", 0, "ENTITY|WAITING|STATE|@counter@" + key, ""},
			{"entity call Counter " + key + " Add --input \"x\"", unsuccessfulCode, "", "the operation has failed"},
			{"entity call Counter " + key + " Add --timeout 0s", usageCode, "", "--timeout"},
			{"entity call Counter " + key + " Add --input 1 --request x", failedCode, "", "GUID"},
			{"entity delete Counter " + key, 0, "", ""},
			{"entity call Counter " + key + " Add --input 1", 0, "1\n", ""}, // behind the delete
			{"entity clean --empty --locks", 0, "0 empty entities removed, 0 locks released", ""},
		} {
			a.check(t, way, flags, c)
		}
		sum[way] = key
	}
	a.checkWays(t, []outcomeCase{
		{"entity list -o jsonl", 0, `"key":"` + sum["app"] + `"|"key":"` + sum["storage"] + `"`, ""},
		{"entity list --max 1", 0, "@counter@", "There are more"},
		{"entity list --name Other -o json", 0, "[]\n", "No entity matches"},
		{"entity show Counter nobody", absentCode, "", "there is no such entity"},
		{"entity show Counter", usageCode, "", "NAME KEY"},
		{"entity show @counter", usageCode, "", "@name@key"},
		{"entity signal Counter a", usageCode, "", "want: durable entity signal NAME KEY OPERATION"},
		{"entity list --prefix k", usageCode, "", "--name"},
		{"entity list --max 0", usageCode, "", "--max"},
		{"entity list --since x", usageCode, "", "--since"},
		{"entity clean", usageCode, "", "--empty"},
		{"entity clean --empty --empty-for -1s", usageCode, "", "--empty-for"},
		{"entity dance", usageCode, "", `no command "dance"`},
	})
}

// Hubs are made, listed, shown and, by their name, deleted.
func TestHubs(t *testing.T) {
	t.Setenv("AzureWebJobsStorage", "")
	dir := app(t, "Shop", serveAccount(t))
	check := func(code int, out, problems string, args ...string) {
		t.Helper()
		(&liveApp{}).check(t, "it", nil, outcomeCase{strings.Join(args, " "), code, out, problems})
	}
	check(0, "HUB", "There is no task hub at http://127.0.0.1", "hub list", dir)
	check(failedCode, "", "has the app run", "hub info", dir)
	check(failedCode, "", "has the app run", "hub delete --yes", dir)
	check(0, "Task hub Shop is there", "", "hub create", dir)
	check(0, "Task hub ShopTest is there", "", "hub create --hub ShopTest", dir)
	check(failedCode, "", "not a task hub name", "hub create --hub 1", dir)
	check(0, "HUB|Shop|ShopTest", "", "hub list", dir)
	check(0, `{"hub":"Shop"}`, "", "hub list -o jsonl", dir)
	check(0, "Hub:|Shop|Queue shop-control-00:|0 messages|Reading instances table:", "", "hub info", dir)
	check(0, `"hub":"ShopTest"`, "", "hub info -o jsonl --hub ShopTest", dir)
	check(0, "0 findings", "", "hub check", dir)
	check(usageCode, "", "Type its name|left as it is: --yes", "hub delete", dir)
	for _, typed := range []string{"shop\n", "yes\n", "ShopTest\n"} { // the last one deletes it
		root := newRoot()
		root.SetIn(strings.NewReader(typed))
		var said bytes.Buffer
		root.SetErr(&said)
		root.SetOut(&said)
		root.SetArgs([]string{"hub", "delete", "--hub", "ShopTest", dir})
		if err := root.ExecuteContext(t.Context()); (err == nil) != (typed == "ShopTest\n") || !strings.Contains(said.String(), "Type its name") {
			t.Errorf("%q: %v\n%s", typed, err, said.String())
		}
	}
	check(0, "Shop\n", "", "hub list", dir)
	check(0, "Task hub Shop is deleted", "", "hub delete --yes", dir)
	check(0, "[]", "There is no task hub", "hub list -o json", dir)
	t.Setenv("AzureWebJobsStorage", memory)
	for _, args := range []string{"hub list", "hub info", "hub create", "hub delete --yes"} {
		check(failedCode, "", "memory", args, dir)
	}
}

// The app tells more of its hub than storage does.
func TestHubInfoOfAnApp(t *testing.T) {
	a := startApp(t)
	a.check(t, "app", a.ways()["app"], outcomeCase{"hub info", 0, "Hub:|Live|Process:|Queue live-control-00:|Setting ", ""})
	a.check(t, "app", a.ways()["app"], outcomeCase{"hub info -o json", 0, `"hub": "Live"|"process"`, ""})
	got := durableTool(t, append([]string{"hub", "info", "-o", "json"}, a.ways()["storage"]...)...)
	if strings.Contains(got.out, `"process"`) || !strings.Contains(got.out, `"hub": "Live"`) {
		t.Errorf("through storage: %+v", got)
	}
}

func TestVersion(t *testing.T) {
	if got := durableTool(t, "version"); got.code != 0 || !inOrderOf(got.out, "durable | go1") {
		t.Errorf("%+v", got)
	}
}
