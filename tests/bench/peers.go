package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gosess/tests/harness"
)

// The stores of the handshakes have the same size in all servers.
const (
	storeSize  = 10 << 20
	gosessURL  = "shm:?size=10m"
	haproxyRow = 248 // bytes of one of HAProxy's blocks, with its index
)

// peer is a running server that can be put under load.
type peer struct {
	name   string
	server harness.Server
	port   int
	client []string // arguments of the load client
}

// processes are all that make up the server.
func (p peer) processes() []harness.Process {
	return append([]harness.Process{p.server.Master()}, p.server.Workers()...)
}

// makePeer makes a server in a directory that its workers can enter, and starts it.
type makePeer func(dir string) (peer, error)

// withPeers starts servers, does something with them, and ends them.
func withPeers(makers []makePeer, do func([]peer) error) (err error) {
	var peers []peer
	for _, start := range makers {
		dir, err := os.MkdirTemp("", "gosess-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
		p, err := start(dir)
		if err != nil {
			return err
		}
		defer func() {
			if stopped := p.server.Stop(); stopped != nil && err == nil {
				err = stopped
			}
		}()
		if err := p.server.Start(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		peers = append(peers, p)
	}
	return do(peers)
}

// nginx is one with its own cache, or where that is "none" with gosess.
func nginx(cache string, size int) makePeer {
	return func(dir string) (peer, error) {
		n, err := harness.NewNginx(dir)
		if err != nil {
			return peer{}, err
		}
		n.SessionCache = cache
		p := peer{name: "nginx " + cache, server: n, port: n.Port()}
		if cache == "none" {
			p.name = "nginx + gosess"
			n.Env, err = harness.Preload(fmt.Sprintf("shm:?size=%dm", size>>20))
		}
		return p, err
	}
}

// withClientCertificate makes nginx ask for a certificate, and the client have one.
func withClientCertificate(start makePeer, rsa bool) makePeer {
	return func(dir string) (peer, error) {
		p, err := start(dir)
		if err != nil {
			return p, err
		}
		n := p.server.(*harness.Nginx)
		n.Sites[0].Directives = "ssl_verify_client on; ssl_client_certificate " + n.Authority.CA + ";"
		issue := n.Authority.Issue
		if rsa {
			issue = n.Authority.IssueRSA
		}
		cert, err := issue("client.test")
		p.client = []string{"--cert", cert.Cert, "--key", cert.Key}
		return p, err
	}
}

// withTickets makes a server that has gosess give out tickets, those that all processes open; or as it is without gosess.
func withTickets(start makePeer, gosess bool) makePeer {
	return func(dir string) (peer, error) {
		p, err := start(dir)
		if err != nil {
			return p, err
		}
		p.client = []string{"--sni", "first.test"}
		var env *[]string
		switch s := p.server.(type) {
		case *harness.Nginx:
			s.Tickets, env = true, &s.Env
		case *harness.HAProxy:
			s.Tickets, env = true, &s.Env
		}
		*env = append(*env, "GOSESS_TICKETS=shared")
		if !gosess {
			p.name, _, _ = strings.Cut(p.name, " ")
			*env = nil
		}
		return p, nil
	}
}

func httpd(own bool, size int) makePeer {
	return func(dir string) (peer, error) {
		h, err := harness.NewHTTPD(dir)
		if err != nil {
			return peer{}, err
		}
		if own {
			h.SSL = fmt.Sprintf("SSLSessionCache shmcb:%s(%d)\nSSLSessionTickets off", filepath.Join(dir, "cache"), size)
			return peer{name: "httpd shmcb", server: h, port: h.Port()}, nil
		}
		h.SSL = "SSLSessionCache nonenotnull\nSSLSessionTickets off"
		h.Env, err = harness.Preload(gosessURL)
		return peer{name: "httpd + gosess", server: h, port: h.Port()}, err
	}
}

func haproxy(gosess bool, size int) makePeer {
	return func(dir string) (peer, error) {
		h, err := harness.NewHAProxy(dir)
		if err != nil {
			return peer{}, err
		}
		h.CacheSize = size / haproxyRow
		if !gosess {
			return peer{name: "haproxy", server: h, port: h.Port}, nil
		}
		h.Env, err = harness.Preload(gosessURL)
		return peer{name: "haproxy + gosess", server: h, port: h.Port}, err
	}
}
