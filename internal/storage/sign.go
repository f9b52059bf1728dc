package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// signer signs table requests with the account's key: scheme SharedKeyLite of
// the table service
// (learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
type signer struct {
	account string
	key     []byte
}

// Do signs each try with its own date.
func (s *signer) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	date := time.Now().UTC().Format(http.TimeFormat)
	raw.Header.Set("x-ms-date", date)
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(date + "\n/" + s.account + raw.URL.EscapedPath()))
	raw.Header.Set("Authorization", "SharedKeyLite "+s.account+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return req.Next()
}
