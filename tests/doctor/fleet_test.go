package doctor_test

import (
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
	r := harness.ReadDiagnosis(t, cmd)
	alone := fmt.Sprint("127.0.0.4:", good)
	for _, way := range r.Ways {
		groups := way.Groups
		if way.Way != "tls12-id" && (len(groups) != 2 || len(groups[0]) != 9 || len(groups[1]) != 1 || groups[1][0] != alone) {
			t.Errorf("%s: %q", way.Way, groups)
		}
	}
	if len(r.TicketKeys.Keys) != 2 || r.Status != 1 || len(r.Findings) != 1 || r.Findings[0].Code != "addresses-apart/keys" ||
		!strings.Contains(r.Findings[0].What, alone) {
		t.Error(r.Text)
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
	n, err := harness.NewNginx(harness.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	n.Tickets, n.Env = true, h.Env
	started(t, n)
	ask(t, question{name: "nginx as it is, with gosess", ports: []int{n.Port()}, server: "nginx"})
	if r := harness.Diagnose(t, at(n.Port())...); r.TicketKeys.NameBytes != 8 || len(r.TicketKeys.Keys) == 0 || len(r.TicketKeys.Keys) > 2 {
		t.Errorf("gosess begins its tickets with the id of a secret, of which there is one, or two when a period ends: %s", r.Text)
	}
}
