// Package storage connects to an Azure Storage account: it resolves the app's
// settings, makes the SDK's clients with the timeouts and retries that the
// engine needs, and speaks the entity group transactions of Table Storage
// itself, because the SDK drops the ETags of their replies.
package storage

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Connection says where an account is and how to prove who asks.
type Connection struct {
	// Table, Queue and Blob are the service URLs, without a slash at the end.
	Table, Queue, Blob string
	// Account and Key sign requests; SAS is a query string that does. Without
	// either, Identity says how tokens are had.
	Account, Key string
	SAS          string
	Identity     *Identity
}

// Identity is how the app proves who it is without a key.
type Identity struct {
	// Credential is the setting's value, "managedidentity" or empty.
	Credential                       string
	ClientID, TenantID, ClientSecret string
}

// The emulator's account is public (learn.microsoft.com/azure/storage/common/storage-use-azurite).
const (
	emulatorAccount = "devstoreaccount1"
	emulatorKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// ErrNoConnection means that the app has no storage account.
var ErrNoConnection = errors.New("no storage connection")

// Resolve finds a connection by name the way the Functions host does: the
// setting AzureWebJobs<name>, then <name>, as a connection string, else the
// settings of an identity (<name>__accountName and its siblings). getenv is
// os.Getenv. Errors say what to set and never contain a secret.
func Resolve(name string, getenv func(string) string) (*Connection, error) {
	for _, setting := range []string{"AzureWebJobs" + name, name} {
		if text := strings.TrimSpace(getenv(setting)); text != "" {
			c, err := Parse(text)
			if err != nil {
				return nil, fmt.Errorf("setting %s: %w", setting, err)
			}
			return c, nil
		}
		if c, err := fromIdentity(setting, getenv); c != nil || err != nil {
			return c, err
		}
	}
	return nil, fmt.Errorf("%w: set %s to a connection string (UseDevelopmentStorage=true for Azurite), to \"memory\", or %s__accountName for an identity", ErrNoConnection, name, name)
}

func fromIdentity(setting string, getenv func(string) string) (*Connection, error) {
	get := func(suffix string) string {
		return strings.TrimSuffix(strings.TrimSpace(getenv(setting+"__"+suffix)), "/")
	}
	c := &Connection{Table: get("tableServiceUri"), Queue: get("queueServiceUri"), Blob: get("blobServiceUri")}
	if account := get("accountName"); account != "" {
		fill(&c.Table, "https://"+account+".table.core.windows.net")
		fill(&c.Queue, "https://"+account+".queue.core.windows.net")
		fill(&c.Blob, "https://"+account+".blob.core.windows.net")
	}
	if c.Table == "" && c.Queue == "" && c.Blob == "" {
		return nil, nil
	}
	for service, address := range map[string]string{"table": c.Table, "queue": c.Queue, "blob": c.Blob} {
		if address == "" {
			return nil, fmt.Errorf("setting %s__%sServiceUri is missing: set it, or %s__accountName", setting, service, setting)
		}
	}
	c.Identity = &Identity{Credential: get("credential"), ClientID: get("clientId"), TenantID: get("tenantId"), ClientSecret: get("clientSecret")}
	return c, nil
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// Parse reads a connection string.
func Parse(text string) (*Connection, error) {
	parts := map[string]string{}
	for _, part := range strings.Split(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, errors.New("not a connection string: it must be a list of Name=Value, separated by semicolons")
		}
		parts[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	if strings.EqualFold(parts["usedevelopmentstorage"], "true") {
		return emulator(parts["developmentstorageproxyuri"])
	}
	c := &Connection{
		Account: parts["accountname"], Key: parts["accountkey"], SAS: strings.TrimPrefix(parts["sharedaccesssignature"], "?"),
		Table: parts["tableendpoint"], Queue: parts["queueendpoint"], Blob: parts["blobendpoint"],
	}
	return c, c.complete(parts)
}

// complete derives what the string leaves out and checks the rest.
func (c *Connection) complete(parts map[string]string) error {
	protocol, suffix := parts["defaultendpointsprotocol"], parts["endpointsuffix"]
	fill(&protocol, "https")
	fill(&suffix, "core.windows.net")
	for service, address := range map[string]*string{"table": &c.Table, "queue": &c.Queue, "blob": &c.Blob} {
		if *address == "" && c.Account != "" {
			*address = protocol + "://" + c.Account + "." + service + "." + suffix
		}
		*address = strings.TrimSuffix(*address, "/")
		u, err := url.Parse(*address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("not a connection string: it gives no %s endpoint (AccountName or %sEndpoint)", service, strings.ToUpper(service[:1])+service[1:])
		}
		*address = u.Scheme + (*address)[len(u.Scheme):] // in lower case
	}
	switch {
	case c.SAS != "":
		_, err := url.Parse("http://h/?" + c.SAS)
		if _, queryErr := url.ParseQuery(c.SAS); err != nil || queryErr != nil {
			return errors.New("not a connection string: SharedAccessSignature is not the query of a URL")
		}
		return nil
	case c.Account == "" || c.Key == "":
		return errors.New("not a connection string: AccountName and AccountKey, or SharedAccessSignature, are missing")
	}
	if _, err := decodeKey(c.Key); err != nil {
		return errors.New("not a connection string: AccountKey is not base64")
	}
	return nil
}

// emulator is Azurite on its usual ports, on this machine or, with
// DevelopmentStorageProxyUri, on another one.
func emulator(proxy string) (*Connection, error) {
	host := "http://127.0.0.1"
	if proxy != "" {
		u, err := url.Parse(proxy)
		if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("DevelopmentStorageProxyUri is not a URL such as http://storage")
		}
		host = u.Scheme + "://" + u.Hostname()
		if strings.Contains(u.Hostname(), ":") {
			host = u.Scheme + "://[" + u.Hostname() + "]"
		}
	}
	return &Connection{
		Account: emulatorAccount, Key: emulatorKey,
		Blob:  host + ":10000/" + emulatorAccount,
		Queue: host + ":10001/" + emulatorAccount,
		Table: host + ":10002/" + emulatorAccount,
	}, nil
}
