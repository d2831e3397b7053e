package radius_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// newHostapd is a hostapd without a radio, which is a RADIUS server with its own EAP server, and is not yet started.
func newHostapd(t *testing.T, dir string, env []string) *harness.Program {
	t.Helper()
	certificates(t, dir)
	port, err := harness.FreeUDPPort()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"clients": "127.0.0.1 radius\n",
		"users":   "\"user\" TLS,TTLS,PEAP\n\"user\" MSCHAPV2,TTLS-MSCHAPV2 \"secret\" [2]\n",
		"hostapd.conf": fmt.Sprintf(`interface=none0
driver=none
radius_server_clients=%[1]s/clients
radius_server_auth_port=%[2]d
eap_server=1
eap_user_file=%[1]s/users
ca_cert=%[1]s/ca.pem
server_cert=%[1]s/first.test.pem
private_key=%[1]s/first.test.key
tls_session_lifetime=3600
`, dir, port),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &harness.Program{
		Dir: dir, Port: port, UDP: true, Env: env, Line: []string{"/usr/sbin/hostapd", filepath.Join(dir, "hostapd.conf")},
		StopWith: syscall.SIGTERM, Problem: regexp.MustCompile(`(?i)error|failed`),
	}
}

// hostapd notes in the ex_data of a session how its client has got in, and verifies clients of EAP-TLS by what it sets on the
// connection: who comes back is resumed and let in as without gosess.
func TestHostapd(t *testing.T) {
	harness.Alike(t, func(t *testing.T, dir string, env []string) string {
		p := newHostapd(t, dir, env)
		end := start(t, p)
		var account string
		for _, method := range methods {
			account += visits(t, p, method)
		}
		if env == nil && strings.Count(account, "resumed=1") != 2*len(methods) {
			t.Errorf("hostapd without gosess: %s", account)
		}
		return account + end()
	})
}
