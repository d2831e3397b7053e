package doctor

import (
	"strings"

	"gosess/internal/probe"
)

// The servers that are recognised.
const (
	nginx   = "nginx"
	haproxy = "haproxy"
	httpd   = "httpd"
	hitch   = "hitch"
	stunnel = "stunnel"
	postfix = "postfix"
	dovecot = "dovecot"
	uvicorn = "uvicorn"
)

// Servers are those whose lines of configuration are known.
var Servers = []string{nginx, haproxy, httpd, hitch, stunnel, postfix, dovecot, uvicorn}

// header is what a server calls itself: the Server line of HTTP, or its greeting.
func header(seen probe.Seen) string {
	if seen.Greeting != "" {
		return clean(seen.Greeting)
	}
	if !strings.HasPrefix(seen.Answer, "HTTP/") {
		line, _, _ := strings.Cut(seen.Answer, "\n")
		return clean(line)
	}
	for line := range strings.Lines(seen.Answer) {
		if name, value, found := strings.Cut(line, ":"); found && strings.EqualFold(name, "Server") {
			return clean(value)
		}
	}
	return ""
}

// clean is the beginning of what a server says, in letters that do nothing to a terminal.
func clean(text string) string {
	const limit = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, strings.TrimSpace(text))
	return text[:min(len(text), limit)]
}

// recognise names the server that ends TLS. What calls itself something may stand behind it, so what only that server
// says is looked for first: its answer to a request that is none.
func recognise(answer, header string) string {
	switch {
	case strings.Contains(answer, "<h1>400 Bad request</h1>\nYour browser sent an invalid request."):
		return haproxy
	case strings.Contains(answer, "<center>nginx"):
		return nginx
	case strings.Contains(answer, "Your browser sent a request that this server could not understand."):
		return httpd
	}
	for _, known := range []struct{ text, server string }{
		{"nginx", nginx}, {"openresty", nginx}, {"Apache", httpd}, {"uvicorn", uvicorn}, {"Postfix", postfix}, {"Dovecot", dovecot},
	} {
		if strings.Contains(header, known.text) {
			return known.server
		}
	}
	return ""
}
