package storage

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
)

// scope is the audience of tokens for Azure Storage.
const scope = "https://storage.azure.com/.default"

func (a *Account) openIdentity(c *Connection, base azcore.ClientOptions) error {
	own, err := c.Identity.credential()
	if err != nil {
		return err
	}
	credential := shareToken(own)
	if a.Tables, err = aztables.NewServiceClient(c.Table, credential, &aztables.ClientOptions{ClientOptions: a.of(Table, base)}); err != nil {
		return err
	}
	if a.Queues, err = azqueue.NewServiceClient(c.Queue, credential, &azqueue.ClientOptions{ClientOptions: a.of(Queue, base)}); err != nil {
		return err
	}
	if a.Blobs, err = azblob.NewClient(c.Blob, credential, &azblob.ClientOptions{ClientOptions: a.of(Blob, base)}); err != nil {
		return err
	}
	a.batches = pipeline(a.of(Table, base), runtime.NewBearerTokenPolicy(credential, []string{scope}, nil))
	return nil
}

// credential picks one kind, rather than trying them all, wherever the settings
// say which: a managed identity in Azure, a service principal with a secret,
// else what the developer's machine has.
func (i *Identity) credential() (azcore.TokenCredential, error) {
	switch {
	case i.ClientSecret != "" && i.TenantID != "":
		return azidentity.NewClientSecretCredential(i.TenantID, i.ClientID, i.ClientSecret, nil)
	case strings.EqualFold(i.Credential, "managedidentity") || os.Getenv("IDENTITY_ENDPOINT") != "":
		options := &azidentity.ManagedIdentityCredentialOptions{}
		if i.ClientID != "" {
			options.ID = azidentity.ClientID(i.ClientID)
		}
		return azidentity.NewManagedIdentityCredential(options)
	default:
		return azidentity.NewDefaultAzureCredential(nil)
	}
}

// TokenFor returns a source of tokens for another service of Azure, such as
// https://management.azure.com/.default: of the identity that this machine has, be it
// of a person (az login, azd auth login) or of a pipeline. It keeps a token until it is
// about to end.
func TokenFor(scope string) (func(ctx context.Context) (string, error), error) {
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("an identity for Azure: %w", err)
	}
	return func(ctx context.Context) (string, error) {
		token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
		if err != nil {
			return "", fmt.Errorf("a token for Azure (az login, or azd auth login): %w", err)
		}
		return token.Token, nil
	}, nil
}
