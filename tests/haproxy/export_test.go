package haproxy_test

import (
	"os"
	"testing"

	"gosess/tests/harness"
)

// Servers without gosess that have exported keys resume each other's tickets, and those of the next period resume those of this one,
// and the other way round; other keys do not.
func TestExportedKeys(t *testing.T) {
	now, later := harness.TicketFiles(t, "haproxy", system.TempDir(t))
	other, _ := harness.TicketFiles(t, "haproxy", system.TempDir(t))
	var servers []*server
	for _, keys := range []string{now, now, later, other} {
		s := newServer(t)
		s.Env, s.Tickets, s.Bind = nil, true, "tls-ticket-keys "+keys
		if len(servers) > 0 {
			certificate, err := os.ReadFile(servers[0].CertAndKey())
			s.do(func() error { return err })
			s.do(func() error { return os.WriteFile(s.CertAndKey(), certificate, 0o600) })
		}
		s.do(s.Start)
		servers = append(servers, s)
	}
	first, second, third, fourth := servers[0], servers[1], servers[2], servers[3]
	for _, version := range []string{"1.2", "1.3"} {
		of := append(first.pool(version), "--attempts", "40")
		second.resumes(of...)
		third.resumes(of...)
		if r := fourth.load(of...); r.Resumed != 0 {
			t.Errorf("TLS %s: with other keys %d of %d are resumed", version, r.Resumed, r.Attempts)
		}
		first.resumes(append(third.pool(version), "--attempts", "40")...)
	}
}
