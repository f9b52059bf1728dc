// Package infra_test checks the deployment template without Azure: what it
// deploys, for several sets of parameters, and that its compiled forms are those of
// its source.
package infra_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// snapshot is what the template deploys for the parameters in a file of testdata,
// as the Bicep compiler foresees it.
type snapshot struct {
	PredictedResources []resource
	Diagnostics        []any
	Outputs            map[string]any
}

type resource struct {
	Type, Name, Kind string
	SKU              map[string]any
	Tags             map[string]string
	Identity         struct {
		Type                   string
		UserAssignedIdentities map[string]any
	}
	Properties map[string]any
}

const (
	site    = "Microsoft.Web/sites"
	config  = "Microsoft.Web/sites/config"
	plan    = "Microsoft.Web/serverfarms"
	account = "Microsoft.Storage/storageAccounts"
	role    = "Microsoft.Authorization/roleAssignments"
)

var environments = []string{"flex", "vnet", "premium", "dedicated"}

func load(t *testing.T, name string) snapshot {
	t.Helper()
	var s snapshot
	read(t, filepath.Join("testdata", name+".snapshot.json"), &s)
	if len(s.Diagnostics) > 0 {
		t.Errorf("%s: the compiler reports %v", name, s.Diagnostics)
	}
	return s
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// of returns the resources of a type.
func (s snapshot) of(kind string) (out []resource) {
	for _, r := range s.PredictedResources {
		if r.Type == kind {
			out = append(out, r)
		}
	}
	return out
}

// one returns the only resource of a type.
func (s snapshot) one(t *testing.T, kind string) resource {
	t.Helper()
	all := s.of(kind)
	if len(all) != 1 {
		t.Fatalf("%d resources of type %s, want one", len(all), kind)
	}
	return all[0]
}

// settings returns the app settings.
func (s snapshot) settings(t *testing.T) map[string]any {
	t.Helper()
	for _, r := range s.of(config) {
		if strings.HasSuffix(r.Name, "/appsettings") {
			return r.Properties
		}
	}
	t.Fatal("no app settings")
	return nil
}

// at returns the value under a path of names; nil where there is none.
func at(value any, path ...string) any {
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// expect compares values, by their JSON.
func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		t.Errorf("%s is %s, want %s", what, g, w)
	}
}

func TestStorageTakesNoKeys(t *testing.T) {
	for _, name := range environments {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			p := s.one(t, account).Properties
			expect(t, "allowSharedKeyAccess", p["allowSharedKeyAccess"], false)
			expect(t, "allowBlobPublicAccess", p["allowBlobPublicAccess"], false)
			expect(t, "supportsHttpsTrafficOnly", p["supportsHttpsTrafficOnly"], true)
			expect(t, "minimumTlsVersion", p["minimumTlsVersion"], "TLS1_2")
			insights := s.one(t, "Microsoft.Insights/components").Properties
			expect(t, "DisableLocalAuth of Application Insights", insights["DisableLocalAuth"], true)
			policies := s.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
			expect(t, "number of publishing policies", len(policies), 2)
			for _, policy := range policies {
				expect(t, policy.Name, policy.Properties["allow"], false)
			}
			for setting, value := range s.settings(t) {
				text, _ := value.(string)
				if strings.Contains(strings.ToLower(text), "accountkey") || setting == "AzureWebJobsStorage" {
					t.Errorf("the setting %s has a key", setting)
				}
			}
		})
	}
}

// No template reads a key at deployment either.
func TestTemplateListsNoKeys(t *testing.T) {
	raw, err := os.ReadFile("main.json")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?i)list(Account)?(Keys|Sas|Secrets)\(`).FindString(string(raw)); found != "" {
		t.Errorf("the template calls %s", found)
	}
}

// roles are the role definitions by what they let do.
var roles = map[string]string{
	"b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
	"974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
	"0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
	"3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}

func TestRoles(t *testing.T) {
	storage := []string{"Storage Blob Data Owner", "Storage Queue Data Contributor", "Storage Table Data Contributor"}
	app := append([]string{"Monitoring Metrics Publisher"}, storage...)
	for name, deployer := range map[string][]string{"flex": storage, "vnet": nil, "premium": nil, "dedicated": nil} {
		t.Run(name, func(t *testing.T) {
			got := map[string][]string{}
			for _, r := range load(t, name).of(role) {
				kind, _ := r.Properties["principalType"].(string)
				definition, _ := r.Properties["roleDefinitionId"].(string)
				id := definition[strings.LastIndex(definition, "/")+1:]
				if roles[id] == "" {
					t.Errorf("a role that the app does not need: %s", definition)
				}
				got[kind] = append(got[kind], roles[id])
			}
			slices.Sort(got["ServicePrincipal"])
			slices.Sort(got["User"])
			expect(t, "the app's roles", got["ServicePrincipal"], app)
			expect(t, "the deployer's roles", got["User"], deployer)
		})
	}
}

// The app has the identity that has the roles, and no other.
func TestIdentity(t *testing.T) {
	for _, name := range environments {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			identity := s.one(t, "Microsoft.ManagedIdentity/userAssignedIdentities")
			app := s.one(t, site)
			expect(t, "kind of identity", app.Identity.Type, "UserAssigned")
			if len(app.Identity.UserAssignedIdentities) != 1 {
				t.Errorf("identities %v, want one", app.Identity.UserAssignedIdentities)
			}
			for id := range app.Identity.UserAssignedIdentities {
				if !strings.HasSuffix(id, "/"+identity.Name) {
					t.Errorf("the app has the identity %s, want %s", id, identity.Name)
				}
			}
			settings := s.settings(t)
			expect(t, "credential", settings["AzureWebJobsStorage__credential"], "managedidentity")
			for setting, from := range map[string]string{
				"AzureWebJobsStorage__clientId":             identity.Name + "', '2023-01-31').clientId]",
				"AzureWebJobsStorage__blobServiceUri":       ".primaryEndpoints.blob]",
				"AzureWebJobsStorage__queueServiceUri":      ".primaryEndpoints.queue]",
				"AzureWebJobsStorage__tableServiceUri":      ".primaryEndpoints.table]",
				"APPLICATIONINSIGHTS_CONNECTION_STRING":     ".ConnectionString]",
				"APPLICATIONINSIGHTS_AUTHENTICATION_STRING": ".clientId)]",
			} {
				text, _ := settings[setting].(string)
				if !strings.HasSuffix(text, from) {
					t.Errorf("%s is %q, want the end %s", setting, text, from)
				}
			}
			if text, _ := settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"].(string); !strings.Contains(text, ";Authorization=AAD") {
				t.Errorf("telemetry is sent with %q, want Entra authentication", text)
			}
		})
	}
}

func TestPlans(t *testing.T) {
	for name, want := range map[string]struct {
		sku               map[string]any
		functionAppConfig bool
		alwaysOn, scale   any
		minimum, workers  any
	}{
		"flex":      {sku: map[string]any{"name": "FC1", "tier": "FlexConsumption"}, functionAppConfig: true},
		"vnet":      {sku: map[string]any{"name": "FC1", "tier": "FlexConsumption"}, functionAppConfig: true},
		"premium":   {sku: map[string]any{"name": "EP1", "tier": "ElasticPremium"}, scale: 100, minimum: 2, workers: 100},
		"dedicated": {sku: map[string]any{"name": "P1v3", "capacity": 3}, alwaysOn: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			server, app := s.one(t, plan), s.one(t, site)
			expect(t, "sku", server.SKU, want.sku)
			expect(t, "reserved (Linux)", server.Properties["reserved"], true)
			expect(t, "maximumElasticWorkerCount", server.Properties["maximumElasticWorkerCount"], want.workers)
			expect(t, "kind", app.Kind, "functionapp,linux")
			expect(t, "httpsOnly", app.Properties["httpsOnly"], true)
			expect(t, "alwaysOn", at(app.Properties, "siteConfig", "alwaysOn"), want.alwaysOn)
			expect(t, "functionAppScaleLimit", at(app.Properties, "siteConfig", "functionAppScaleLimit"), want.scale)
			expect(t, "minimumElasticInstanceCount", at(app.Properties, "siteConfig", "minimumElasticInstanceCount"), want.minimum)
			expect(t, "has functionAppConfig", app.Properties["functionAppConfig"] != nil, want.functionAppConfig)
		})
	}
}

func TestFlexConsumption(t *testing.T) {
	c := load(t, "flex").one(t, site).Properties["functionAppConfig"]
	expect(t, "runtime", at(c, "runtime"), map[string]string{"name": "custom", "version": "1.0"})
	expect(t, "authentication of deployments", at(c, "deployment", "storage", "authentication", "type"), "UserAssignedIdentity")
	expect(t, "alwaysReady", at(c, "scaleAndConcurrency", "alwaysReady"), []map[string]any{
		{"instanceCount": 1, "name": "http"}, {"instanceCount": 2, "name": "function:Orchestrator"},
	})
	expect(t, "maximumInstanceCount", at(c, "scaleAndConcurrency", "maximumInstanceCount"), 40)
	expect(t, "instanceMemoryMB", at(c, "scaleAndConcurrency", "instanceMemoryMB"), 2048)
	none := load(t, "vnet").one(t, site).Properties["functionAppConfig"]
	expect(t, "alwaysReady by default", at(none, "scaleAndConcurrency", "alwaysReady"), []any{})
}

// Settings that Flex Consumption refuses are on the other plans alone.
func TestSettingsOfPlans(t *testing.T) {
	for name, want := range map[string][]any{
		"flex":      {nil, nil, nil},
		"vnet":      {nil, nil, nil},
		"premium":   {"custom", "~4", "app.zip"},
		"dedicated": {"custom", "~4", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := load(t, name).settings(t)
			expect(t, "FUNCTIONS_WORKER_RUNTIME", settings["FUNCTIONS_WORKER_RUNTIME"], want[0])
			expect(t, "FUNCTIONS_EXTENSION_VERSION", settings["FUNCTIONS_EXTENSION_VERSION"], want[1])
			if url, _ := settings["WEBSITE_RUN_FROM_PACKAGE"].(string); name == "premium" {
				if !strings.Contains(url, "/app.zip") || settings["WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID"] == nil {
					t.Errorf("the package is %q, want a blob that the identity reads", url)
				}
				return
			}
			expect(t, "WEBSITE_RUN_FROM_PACKAGE", settings["WEBSITE_RUN_FROM_PACKAGE"], want[2])
		})
	}
}

// The queue names in function.json and the engine get the same hub, the one that
// host.json has unless another one is asked for, and a slot keeps its own.
func TestTaskHub(t *testing.T) {
	const override = "AzureFunctionsJobHost__extensions__durableTask__hubName"
	var host struct {
		Extensions struct{ DurableTask struct{ HubName string } }
	}
	read(t, filepath.Join("..", "host.json"), &host)
	for name, want := range map[string]string{"flex": host.Extensions.DurableTask.HubName, "dedicated": "OtherHub"} {
		settings := load(t, name).settings(t)
		expect(t, name+": TaskHub", settings["TaskHub"], want)
		expect(t, name+": hubName", settings[override], want)
		if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{2,44}$`).MatchString(want) {
			t.Errorf("%q is not the name of a task hub", want)
		}
	}
	for _, r := range load(t, "dedicated").of(config) {
		if strings.HasSuffix(r.Name, "/slotConfigNames") {
			expect(t, "settings of a slot", r.Properties["appSettingNames"], []string{"TaskHub", override})
			return
		}
	}
	t.Error("slots take the task hub with them")
}

func TestVirtualNetwork(t *testing.T) {
	for name, delegation := range map[string]string{
		"flex": "", "dedicated": "", "vnet": "Microsoft.App/environments", "premium": "Microsoft.Web/serverFarms",
	} {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			storage, app := s.one(t, account).Properties, s.one(t, site).Properties
			endpoints := s.of("Microsoft.Network/privateEndpoints")
			if delegation == "" {
				expect(t, "publicNetworkAccess", storage["publicNetworkAccess"], "Enabled")
				expect(t, "subnet of the app", app["virtualNetworkSubnetId"], nil)
				expect(t, "number of endpoints", len(endpoints), 0)
				return
			}
			expect(t, "publicNetworkAccess", storage["publicNetworkAccess"], "Disabled")
			expect(t, "defaultAction", at(storage, "networkAcls", "defaultAction"), "Deny")
			if app["virtualNetworkSubnetId"] == nil {
				t.Error("the app is in no subnet")
			}
			var services []string
			for _, e := range endpoints {
				connection := e.Properties["privateLinkServiceConnections"].([]any)[0]
				services = append(services, at(connection, "properties", "groupIds").([]any)[0].(string))
			}
			expect(t, "services with an endpoint", services, []string{"blob", "queue", "table"})
			expect(t, "number of zones", len(s.of("Microsoft.Network/privateDnsZones")), 3)
			expect(t, "number of links", len(s.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks")), 3)
			expect(t, "number of records", len(s.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")), 3)
			subnet := s.one(t, "Microsoft.Network/virtualNetworks").Properties["subnets"].([]any)[0]
			given := at(subnet, "properties", "delegations").([]any)[0]
			expect(t, "delegation", at(given, "properties", "serviceName"), delegation)
			if name == "premium" {
				expect(t, "functionsRuntimeScaleMonitoringEnabled", at(app, "siteConfig", "functionsRuntimeScaleMonitoringEnabled"), true)
			}
		})
	}
}

// Names are valid for every name of an environment: the longest parts are hashes.
func TestNames(t *testing.T) {
	for _, name := range environments {
		s := load(t, name)
		if got := s.one(t, account).Name; !regexp.MustCompile(`^[a-z0-9]{3,24}$`).MatchString(got) {
			t.Errorf("%q is not the name of a storage account", got)
		}
		app := s.one(t, site)
		if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}[a-z0-9]$`).MatchString(app.Name) {
			t.Errorf("%q is not the name of an app whose host id is its own (at most 32 characters)", app.Name)
		}
		expect(t, "azd-service-name", app.Tags["azd-service-name"], "api")
	}
}

func TestOutputs(t *testing.T) {
	outputs := load(t, "flex").Outputs
	for _, name := range []string{"AZURE_RESOURCE_GROUP", "AZURE_STORAGE_ACCOUNT", "SERVICE_API_NAME", "SERVICE_API_URL", "TASK_HUB", "DASHBOARD_URL"} {
		if outputs[name] == nil {
			t.Errorf("no output %s", name)
		}
	}
}
