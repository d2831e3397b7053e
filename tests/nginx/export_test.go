package nginx_test

import (
	"fmt"
	"testing"

	"gosess/tests/harness"
)

// Servers without gosess that have exported keys resume each other's tickets, and those of the next period resume those of this one,
// and the other way round; other keys do not.
func TestExportedKeys(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		dir := system.TempDir(t)
		now, later := harness.TicketFiles(t, "nginx", dir)
		other, _ := harness.TicketFiles(t, "nginx", system.TempDir(t))
		var servers []*server
		for _, keys := range []string{now, now, later, other} {
			s := newServer(t, "")
			s.Env, s.Tickets, s.WorkerCount = nil, true, 1
			// In the order that gosess(1) says.
			s.Sites[0].Directives = fmt.Sprintf("ssl_session_ticket_key %[1]s;\nssl_session_ticket_key %[1]s.next;\nssl_session_ticket_key %[1]s.previous;", keys)
			if len(servers) > 0 {
				s.Sites[0].Cert = servers[0].Sites[0].Cert // nginx keeps the tickets of certificates apart
			}
			s.do(s.Start)
			servers = append(servers, s)
		}
		first, second, third, fourth := servers[0], servers[1], servers[2], servers[3]
		of := append(first.pool(version, "--sessions", "20"), "--attempts", "40")
		second.resumes(of...)
		third.resumes(of...)
		fourth.refuses(of...)
		first.resumes(append(third.pool(version, "--sessions", "20"), "--attempts", "40")...)
	})
}
