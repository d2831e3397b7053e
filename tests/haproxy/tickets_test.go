package haproxy_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// With a file of keys HAProxy sends no ticket where TLS 1.3 has used one (T12): with gosess each is followed by another, and all are
// resumed still.
func TestTicketsOfItsOwnKeysAreRenewed(t *testing.T) {
	for _, preloaded := range []bool{false, true} {
		s := newServer(t)
		keys := filepath.Join(s.Dir, "ticket.keys")
		key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("gosess tests", 4)))
		s.do(func() error { return os.WriteFile(keys, []byte(strings.Repeat(key+"\n", 3)), 0o600) })
		s.Tickets, s.Bind = true, "tls-ticket-keys "+keys
		if !preloaded {
			s.Env = nil
		}
		s.do(s.Start)
		r := s.resumes("--tls", "1.3", "--sessions", "20", "--attempts", "100")
		after := r.Tickets - 2*r.Full
		if preloaded && after != r.Resumed || !preloaded && after != 0 {
			t.Errorf("preloaded %v: %+v", preloaded, r)
		}
		s.do(s.Stop)
	}
}
