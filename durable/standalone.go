package durable

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/durable-go/functions/internal/hostname"
)

// functionKey is the setting with the key that callers of an app without a
// Functions host must show.
const functionKey = "DURABLE_FUNCTION_KEY"

// standalone prepares an app for callers that no Functions host has let in, and
// prints its functions.
func (s *service) standalone(l net.Listener) {
	s.server.Key = os.Getenv(functionKey)
	if !hostname.Loopback(l.Addr().String()) {
		s.warnAboutOthers(l.Addr())
	}
	s.announce(l)
}

// warnAboutOthers says what others can do who reach this machine.
func (s *service) warnAboutOthers(at net.Addr) {
	if s.server.Key == "" {
		s.app.log.Warn("this app listens beyond this machine and asks for no key: whoever reaches it can start, read and end orchestrations; set "+functionKey+", or listen on 127.0.0.1", "address", at.String())
		return
	}
	s.app.log.Warn("this app listens beyond this machine without TLS: keys and data can be read on the way; put a gateway with TLS in front of it", "address", at.String())
}

// announce prints the HTTP functions with their URLs, as func does.
func (s *service) announce(l net.Listener) {
	fmt.Println("\nFunctions:")
	for _, f := range s.config.Functions {
		switch {
		case f.Route != "":
			methods := strings.Join(f.Methods, ",")
			if methods == "" {
				methods = "GET,POST,..."
			}
			fmt.Printf("\n\t%s: [%s] http://%s/%s\n", f.Name, methods, l.Addr(), f.Route)
		default:
			fmt.Printf("\n\t%s: %s\n", f.Name, f.Trigger.Type)
		}
	}
	fmt.Println()
}
