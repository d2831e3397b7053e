package doctor_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// runsEnv is how often a bad machine is looked for, where the default is not wanted: make doctor looks a hundred times.
const runsEnv = "GOSESS_TEST_DOCTOR_RUNS"

func runs(t *testing.T) int {
	t.Helper()
	text := os.Getenv(runsEnv)
	if text == "" {
		return 3
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		t.Fatalf("%s=%q: not a number of runs", runsEnv, text)
	}
	return count
}

// A tenth is a service of ten machines, of which number four is as this test says.
type tenth struct {
	name  string
	lines string // of the configuration of number four; "": it is as the others are
	apart string // the fault that is found where each has an address; "": none
	mixed string // and where all are behind one
}

const numberFour = 4

// One bad machine of ten is found in at least 99 of 100 runs, whatever is bad about it: where each has an address of the one name,
// and it is named then, and where all are behind one address. Ten good ones have no fault.
func TestOneOfTen(t *testing.T) {
	t.Parallel()
	all := newMachines(t)
	dir := harness.TempDir(t)
	key := "ssl_session_ticket_key " + keyFile(t, dir, "key", random(t, 80)) + ";"
	cases := []tenth{
		{"nothing", "", "", ""},
		{"a key of its own", "ssl_session_ticket_key " + keyFile(t, dir, "other", random(t, 80)) + ";", "addresses-apart/keys", "partly-resumed/keys"},
		{"no sessions", "ssl_session_cache off; ssl_session_tickets off;", "addresses-apart/keys", "partly-resumed/keys"},
	}
	ports := make([]int, len(cases))
	for i, c := range cases {
		ports[i] = all.service(t, key, cmp.Or(c.lines, key))
	}
	all.start(t)
	const name = "www.test"
	hosts := keyFile(t, dir, "hosts", all.hosts(name))
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addresses := all.addresses(ports[i])
			found := 0
			for range runs(t) {
				if r := byName(t, hosts, fmt.Sprint(name, ":", ports[i])); c.found(t, r, c.apart, addresses[numberFour-1]) {
					found++
				}
			}
			c.judge(t, "ten addresses", found)
			single := fmt.Sprint("127.0.0.1:", balancer(t, addresses...))
			found = 0
			for range runs(t) {
				if r := harness.Diagnose(t, single); c.found(t, r, c.mixed, "") {
					found++
				}
			}
			c.judge(t, "one address", found)
		})
	}
}

// byName has the doctor look at a name that has ten addresses.
func byName(t *testing.T, hosts, target string) harness.Diagnosis {
	t.Helper()
	gosess, err := harness.Built("gosess")
	if err != nil {
		t.Fatal(err)
	}
	return harness.ReadDiagnosis(t, exec.Command("unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`,
		hosts, gosess, "doctor", "--json", "--rate", "1000", target))
}

// found says whether a diagnosis has that finding, and names the machine where it is named at all.
func (c tenth) found(t *testing.T, r harness.Diagnosis, code, alone string) bool {
	t.Helper()
	if code == "" {
		for _, finding := range r.Findings {
			// nginx has a cache for each machine, and clients without tickets come to another one.
			if finding.Level != "remark" || !strings.HasSuffix(finding.Code, "/cache") || !strings.Contains(finding.What, "clients without tickets") {
				t.Errorf("of ten that are alike: %s", r.Text)
			}
		}
		return r.Status == 0
	}
	for _, finding := range r.Findings {
		if finding.Code == code && finding.Level == "fault" && strings.Contains(finding.What, alone) {
			return r.Status == 1
		}
	}
	t.Logf("not found: %s", r.Text)
	return false
}

func (c tenth) judge(t *testing.T, where string, found int) {
	t.Helper()
	t.Logf("%s: found in %d of %d runs", where, found, runs(t))
	if missed := runs(t) - found; missed > runs(t)/100 {
		t.Errorf("%s: found in %d of %d runs", where, found, runs(t))
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
