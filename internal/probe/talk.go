package probe

import (
	"fmt"
	"slices"
	"strings"
)

// Talk is what a client and a server say to each other before TLS and in it.
type Talk struct {
	Protocol string
	Starttls bool // TLS begins when the client asks for it
}

// A protocol is what is said once TLS is there: little, and nothing that changes anything.
type protocol struct {
	name     string
	port     string // of the protocol with TLS from the start
	starttls bool
	request  string // %s is the server's name; "": nothing
	until    string // the answer is heard up to this, or to the end of its first line
	first    bool   // the server speaks first, where TLS is there from the start
}

var protocols = []protocol{
	{name: "http", request: "HEAD / HTTP/1.1\r\nHost: %s\r\nUser-Agent: gosess-doctor\r\nConnection: close\r\n\r\n", until: "\r\n\r\n"},
	{name: "nonsense", request: "GOSESS-DOCTOR\r\n\r\n", until: "</html>"},
	{name: "smtp", port: "465", starttls: true, request: "QUIT\r\n", first: true},
	{name: "imap", port: "993", starttls: true, request: "b LOGOUT\r\n", first: true},
	{name: "pop3", port: "995", starttls: true, request: "QUIT\r\n", first: true},
	{name: "ftp", port: "990", starttls: true, request: "QUIT\r\n", first: true},
	{name: "ldap", port: "636", starttls: true},
	{name: "postgres", port: "5432", starttls: true},
	{name: "silent"},
}

// Silent says nothing: for a server that does not answer what it is asked.
var (
	Silent = Talk{Protocol: "silent"}
	// Nonsense asks a web server what it refuses, in words of its own.
	Nonsense = Talk{Protocol: "nonsense"}
)

func find(name string) protocol {
	n := slices.IndexFunc(protocols, func(p protocol) bool { return p.name == name })
	if n < 0 {
		return protocol{name: name}
	}
	return protocols[n]
}

// TalkAt is what is said at a port, where TLS begins at once: HTTP, where the port is not known for something else.
func TalkAt(port string) Talk {
	for _, p := range protocols {
		if p.port == port {
			return Talk{Protocol: p.name}
		}
	}
	return Talk{Protocol: "http"}
}

// StartTLS is what is said where TLS begins when the client asks for it in a protocol of that name.
func StartTLS(name string) (Talk, error) {
	if find(name).starttls {
		return Talk{name, true}, nil
	}
	var allowed []string
	for _, p := range protocols {
		if p.starttls {
			allowed = append(allowed, p.name)
		}
	}
	return Talk{}, fmt.Errorf("no STARTTLS is known of %q; allowed: %s", name, strings.Join(allowed, ", "))
}

// HTTP says whether the server is asked as web servers are.
func (t Talk) HTTP() bool { return t.Protocol == "http" || t == Nonsense }

// request is what the client says once TLS is there.
func (t Talk) request(name, address string) []byte {
	if name == "" {
		name = address
	}
	text := find(t.Protocol).request
	if strings.Contains(text, "%s") {
		text = fmt.Sprintf(text, name)
	}
	return []byte(text)
}

// listens says whether the server speaks first once TLS is there.
func (t Talk) listens() bool { return find(t.Protocol).first && !t.Starttls }

// until is what the answer is heard up to.
func (t Talk) until() string {
	if until := find(t.Protocol).until; until != "" {
		return until
	}
	return "\n"
}
