package redact

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

const secret = "c2VjcmV0c2lnbmF0dXJl"

func TestText(t *testing.T) {
	for _, text := range []string{
		"GET http://a/b?sv=1&sig=" + secret + "&x=1", "?code=" + secret, "/api/x?CODE=" + secret, `"http://a/b?x=1\u0026sig=` + secret + `"`,
		"http%3a%2f%2fa%3fsig%3d" + secret, "SharedAccessSignature=sig=" + secret, "SharedAccessSignature=sv=1&sig=" + secret,
		"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=" + secret + "==;EndpointSuffix=x", "AccountKey=" + secret,
		"X-Functions-Key: " + secret, `{"x-functions-key":"` + secret + `"}`, "map[X-Functions-Key:[" + secret + "]]", "Authorization: Bearer " + secret, "SharedKey account:" + secret + "=",
		"AccountKey=" + secret + `\u002B` + secret + "==;x", "AccountKey = " + secret, `{"AccountKey": "` + secret + `"}`, "AZURE_CLIENT_SECRET=" + secret, "client_secret=" + secret,
		fmt.Sprint(url.Values{"sig": {secret}, "code": {secret + secret}}), `{"code":"` + secret + secret + `"}`, "sig=" + secret, "query=op=status&exp=&sig=" + secret, "code=" + secret + secret,
		"http%253A%252F%252Fh%253Fsig%253D" + secret, "https://h/#sig=" + secret, "https://user:" + secret + "@h/x", "Authorization: Basic " + secret, "http://h/?a=1&amp;sig=" + secret,
		`url="http://a/b?code=` + secret + `"`, "Endpoint=sb://x;SharedAccessKey=" + secret,
	} {
		if got := Text(text); strings.Contains(got, secret) || !strings.Contains(got, mark) {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, text := range []string{"", "exit code=3", "code: 5", "signed by key abc", "op=status", "a&b", "the code= is missing", "level=INFO msg=started", "code=ContainerAlreadyExists", "http://[::1]:80/a@b", "http://h:80/x y@z", "the header x-functions-key is missing", "basic: authentication", "http://a/b?x=1"} {
		if got := Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://user:pw@host:1/a@b?sig=x#y": "https://host:1/a@b", "http://h?x": "http://h", "/path?x": "/path", "://": "://", "http://h/a#x?y": "http://h/a",
	} {
		if got := URL(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestError(t *testing.T) {
	cause := errors.New("no route to host")
	err := Error(fmt.Errorf("listing: %w", &url.Error{Op: "Get", URL: "http://h/a?sig=" + secret, Err: cause}))
	if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) || !errors.Is(err, cause) {
		t.Error(err)
	}
	err = Error(fmt.Errorf("parse %q: %w", "http://h/?code="+secret, cause))
	if strings.Contains(err.Error(), secret) || !errors.Is(err, cause) {
		t.Error(err)
	}
	if Error(cause) != cause || Error(nil) != nil {
		t.Error("an error without a secret is changed")
	}
}

func FuzzText(f *testing.F) {
	f.Add("http://a/b?", "&c")
	f.Add(`{"k":"`, `"}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + "?sig=" + secret + after
		if got := Text(text); strings.Contains(got, secret) {
			t.Fatalf("%q: %q", text, got)
		}
	})
}
