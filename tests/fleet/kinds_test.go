package fleet_test

import (
	"os"

	"gosess/tests/fleet"
	"gosess/tests/harness"
)

// A place is where a server is to be, and how.
type place struct {
	dir, address string
	through, env []string
	first        harness.Server // of the fleet, whose certificate all have; nil: it is that
}

// A kind of server.
type kind struct {
	name string
	make func(p place) (harness.Server, error)
	port func(harness.Server) int
}

var kinds = []kind{
	{"nginx", func(p place) (harness.Server, error) {
		n, err := harness.NewNginx(p.dir)
		if err == nil && p.first != nil {
			n.Sites[0].Cert = p.first.(*harness.Nginx).Sites[0].Cert
		}
		n.Env, n.Address, n.Through = p.env, p.address, p.through
		return n, err
	}, func(s harness.Server) int { return s.(*harness.Nginx).Port() }},
	{"haproxy", func(p place) (harness.Server, error) {
		h, err := harness.NewHAProxy(p.dir)
		if err == nil && p.first != nil {
			var pem []byte
			if pem, err = os.ReadFile(p.first.(*harness.HAProxy).CertAndKey()); err == nil {
				err = os.WriteFile(h.CertAndKey(), pem, 0o600)
			}
		}
		h.Env, h.Address, h.Through = p.env, p.address, p.through
		return h, err
	}, func(s harness.Server) int { return s.(*harness.HAProxy).Port }},
	{"httpd", func(p place) (harness.Server, error) {
		h, err := harness.NewHTTPD(p.dir)
		if err == nil && p.first != nil {
			h.Sites[0].Cert = p.first.(*harness.HTTPD).Sites[0].Cert
		}
		h.Env, h.Address, h.Through = append(p.env, "GOSESS_TICKETS=stateful"), p.address, p.through
		h.SSL = "SSLSessionCache nonenotnull"
		return h, err
	}, func(s harness.Server) int { return s.(*harness.HTTPD).Port() }},
}

var nginx = kinds[0]

// with is nginx, changed before it starts.
func with(name string, change func(n *harness.Nginx)) kind {
	return kind{name, func(p place) (harness.Server, error) {
		s, err := nginx.make(p)
		if err == nil {
			change(s.(*harness.Nginx))
		}
		return s, err
	}, nginx.port}
}

var sharedTickets = with("nginx with shared tickets", func(n *harness.Nginx) {
	n.Env, n.Tickets = append(n.Env, "GOSESS_TICKETS=shared"), true
})

// httpdWithRedis has no gosess, and the sessions in Redis (mod_socache_redis).
func httpdWithRedis(redis *fleet.Redis) kind {
	return kind{"httpd with its own cache in Redis", func(p place) (harness.Server, error) {
		s, err := kinds[2].make(p)
		if err == nil {
			h := s.(*harness.HTTPD)
			h.Env, h.SSL = nil, "SSLSessionCache redis:"+redis.Address()+"\nSSLSessionTickets off"
			h.More = []string{"socache_redis"}
		}
		return s, err
	}, kinds[2].port}
}
