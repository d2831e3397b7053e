// Package radius_test runs Debian's unmodified FreeRADIUS and hostapd with gosess preloaded. They keep on a session, or decide in
// a callback of their own, who its client is, and gosess must leave that alone. Nothing is gained with them.
package radius_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// methods are the ways in.
var methods = []string{"TLS", "TTLS", "PEAP"}

// certificates makes those of a server and of a client, by one authority, in dir.
func certificates(t *testing.T, dir string) {
	t.Helper()
	authority, err := harness.NewAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first.test", "client.test"} {
		if _, err := authority.Issue(name); err != nil {
			t.Fatal(err)
		}
	}
}

// unique is what differs between two lines of a log that say the same: the time, and the id of a session.
var unique = regexp.MustCompile(`(?m)^\w+ \w+ +\d+ [\d:]+ \d+ : |[0-9a-f]{64}`)

// start starts a server; what it returns ends it, and is an account of how it ended.
func start(t *testing.T, p *harness.Program) (end func() string) {
	t.Helper()
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", p.Log())
		}
	})
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return func() string {
		t.Helper()
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		problems := strings.ReplaceAll(strings.Join(p.Problems(), "\n"), p.Dir, "DIR")
		return fmt.Sprintf("the server: %s\n%s", p.Ended(), unique.ReplaceAllString(problems, ""))
	}
}

// visits is what a client sees that comes three times, the second and third time with its session.
func visits(t *testing.T, p *harness.Program, method string) string {
	t.Helper()
	config := filepath.Join(p.Dir, method+".conf")
	text := fmt.Sprintf(`network={
key_mgmt=IEEE8021X
eap=%[1]s
identity="user"
password="secret"
ca_cert="%[2]s/ca.pem"
client_cert="%[2]s/client.test.pem"
private_key="%[2]s/client.test.key"
phase2="auth=MSCHAPV2"
}
`, method, p.Dir)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command("eapol_test", "-c", config, "-p", fmt.Sprint(p.Port), "-s", "radius", "-r", "2", "-t", "5").CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s: %v\n%s", method, err, told(string(output)))
}

var (
	// Of each answer that ends a conversation, its code and its attributes, but for keys and proofs.
	verdict   = regexp.MustCompile(`^RADIUS message: code=[23] \([^)]*\)`)
	attribute = regexp.MustCompile(`^   Attribute (\d+) .*`)
	ephemeral = []string{"26", "79", "80", "102"}
	handshake = regexp.MustCompile(`^OpenSSL: Handshake finished - resumed=\d`)
)

// told is what eapol_test says of how each handshake went, and of what the server answered last.
func told(output string) string {
	var account strings.Builder
	in, wanted := false, false // in such an answer, at an attribute whose value is wanted
	for line := range strings.Lines(output) {
		if in && strings.HasPrefix(line, " ") {
			if found := attribute.FindStringSubmatch(line); found != nil {
				wanted = !slices.Contains(ephemeral, found[1])
			}
			if wanted {
				account.WriteString(line)
			}
			continue
		}
		found := verdict.FindString(line)
		in = found != ""
		if found == "" {
			found = handshake.FindString(line)
		}
		if found != "" {
			account.WriteString(found + "\n")
		}
	}
	return account.String()
}
