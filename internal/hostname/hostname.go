// Package hostname judges the hosts that requests and settings name.
package hostname

import (
	"net"
	"regexp"
	"strings"
)

// syntax is a host with or without a port: a name, an IPv4 address, or an IPv6
// address in brackets.
var syntax = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$`)

// longest is the longest name of a host with its port.
const longest = 253 + len(":65535")

// Valid reports whether a text can be the Host of a request.
func Valid(host string) bool { return len(host) <= longest && syntax.MatchString(host) }

// Loopback reports whether a host, with or without a port, is this machine: a
// loopback address or localhost.
func Loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
