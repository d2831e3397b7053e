package doctor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// One of ten machines has a key of its own: it is found where each has an address of the one name, and named, and found where all
// are behind one address.
func TestOneOfTen(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may give a process a file of hosts of its own")
	}
	dir := harness.TempDir(t)
	n, err := harness.NewNginx(dir)
	if err != nil {
		t.Fatal(err)
	}
	n.Tickets, n.SessionCache = true, "shared:all:1m"
	key := "ssl_session_ticket_key " + keyFile(t, dir, "key", random(t, 80)) + ";"
	n.Sites[0].Directives = key
	bad := service(t, n, "")
	var hosts strings.Builder
	for number := 1; number <= 10; number++ {
		site := &n.Sites[0]
		if number == 4 {
			site = &n.Sites[1]
		}
		if number > 1 {
			site.Directives += fmt.Sprintf(" listen 127.0.0.%d:%d ssl;", number, n.Port())
		}
		fmt.Fprintf(&hosts, "127.0.0.%d www.test\n", number)
	}
	started(t, n)

	good := n.Port()
	behind := []int{bad, good, good, good, good, good, good, good, good, good}
	ask(t, question{name: "behind one address", ports: []int{balancer(t, behind...)}, server: "nginx", codes: []string{"partly-resumed/keys"}})

	gosess, err := harness.Built("gosess")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`,
		keyFile(t, dir, "hosts", []byte(hosts.String())), gosess, "doctor", "--json", "--rate", "1000", fmt.Sprint("www.test:", good))
	text, err := cmd.Output()
	var r report
	if json.Unmarshal(text, &r) != nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	alone := fmt.Sprint("127.0.0.4:", good)
	for _, way := range r.Ways {
		groups := way.Groups
		if way.Way != "tls12-id" && (len(groups) != 2 || len(groups[0]) != 9 || len(groups[1]) != 1 || groups[1][0] != alone) {
			t.Errorf("%s: %q", way.Way, groups)
		}
	}
	if len(r.TicketKeys.Keys) != 2 || len(r.Findings) != 1 || r.Findings[0].Code != "addresses-apart/keys" ||
		!strings.Contains(r.Findings[0].What, alone) {
		t.Errorf("%s", text)
	}
}

// What the lines that the doctor shows are worth: with them nothing is found any more.
func TestCured(t *testing.T) {
	t.Parallel()
	dir := harness.TempDir(t)
	env, err := harness.Preload("shm:" + filepath.Join(dir, "store") + "?size=4m")
	if err != nil {
		t.Fatal(err)
	}
	h, err := harness.NewHAProxy(dir)
	if err != nil {
		t.Fatal(err)
	}
	h.Tickets, h.Env = true, append(env, "GOSESS_TICKETS=shared")
	h.Bind = "tls-ticket-keys " + keyFile(t, dir, "keys", []byte(haproxyKeys(random(t, 48))))
	started(t, h)
	ask(t, question{name: "a key file of HAProxy, with gosess", ports: []int{h.Port}, server: "haproxy"})
}
