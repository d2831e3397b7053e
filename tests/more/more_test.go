// Package more_test runs unmodified servers of Debian, each without gosess and with it, and compares: what is resumed, how
// the server ends, and what is said.
package more_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// server is one of those, and what is known of it.
type server struct {
	name      string
	program   func(t *testing.T, s site) *harness.Program
	arguments []string // of the load client
	gains     bool     // by the page, at a restart
	late      bool     // it goes by the server name after libssl has looked: the first one who tells it after a restart teaches gosess
	slow      bool     // to start: tried with GOSESS_TESTS=all
	tickets   string   // GOSESS_TICKETS, where the page says another one for it
}

// Asked nothing, since the client speaks HTTP only; and one client at a time, since rsyslog loses some of two, by itself.
var untilEnd = []string{"--until-end"}

var servers = []server{
	{"mosquitto", mosquitto, untilEnd, true, false, false, ""},
	{"unbound", unbound, untilEnd, true, false, false, ""},
	{"dnsdist", dnsdist, untilEnd, true, true, false, "shared,override"},
	{"rsyslog", rsyslog, untilEnd, false, false, false, ""},
	{"nghttpx", nghttpx, nil, true, true, false, "stateful"},
	{"h2o", h2o, nil, true, false, false, "shared,override"},
	{"memcached", memcached, untilEnd, true, false, false, ""},
	{"redis", redis, []string{"--silent", "--no-shutdown"}, false, false, false, ""}, // its clients leave so
	{"mumble-server", mumble, untilEnd, false, false, true, ""},
}

// taught is how many percent of the visits after a restart are resumed of the first kind of client that is not resumed by tickets.
func (s server) taught() int {
	if s.late {
		return 100 * (visits - 1) / visits
	}
	return 100
}

// visits are how often a client comes back.
const visits = 20

// seen is how many percent of its sessions each of harness.Clients resumes.
type seen [3]int

// report is all that is seen of a server.
type report struct {
	start, restart, renewed seen   // with the server that made them, with the next one, with one that has a new certificate
	ended                   string // the first one
	said                    []string
}

// trouble is what a server says that lost a worker.
var trouble = regexp.MustCompile(`(?i)segfault|segmentation|sigsegv|sigabrt|abort|panic|crash|core dump`)

// run starts the server, comes back, comes back after a restart, and after another one with a renewed certificate.
func (s server) run(t *testing.T, variables func(dir string) []string) report {
	t.Helper()
	site := newSite(t)
	p := s.program(t, site)
	p.Env, p.Problem = variables(site.dir), trouble
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			lines := strings.Split(strings.TrimSpace(p.Log()), "\n")
			t.Logf("the end of its log:\n%s", strings.Join(lines[max(0, len(lines)-8):], "\n"))
		}
	})
	files := func(i int) string { return filepath.Join(site.dir, harness.Clients[i].Version+strings.Repeat("-", i)) }
	call := func(i int, arguments ...string) harness.Result {
		t.Helper()
		c := harness.Clients[i]
		arguments = append(append(arguments, "--tls", c.Version, "--sni", "first.test", "--threads", "1"), c.Arguments...)
		got, err := harness.Load(site.port, append(arguments, s.arguments...)...)
		if err != nil || got.Errors != 0 {
			said, _, _ := strings.Cut(got.Said, "\n")
			if !p.Master().Alive() {
				t.Fatalf("the server ended by itself: %s", p.Ended())
			}
			t.Fatalf("%v: %d errors: %v %s", arguments, got.Errors, err, said)
		}
		return got
	}
	comeBack := func() (all seen) {
		for i := range harness.Clients {
			got := call(i, "--load", files(i), "--attempts", strconv.Itoa(visits))
			all[i] = 100 * got.Resumed / got.Attempts
		}
		return all
	}
	do := func(step func() error) {
		t.Helper()
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	var r report
	do(p.Start)
	for i := range harness.Clients {
		call(i, "--sessions", "10", "--attempts", "0", "--save", files(i))
	}
	r.start = comeBack()
	do(p.Stop)
	r.ended = p.Ended()
	do(p.Start)
	r.restart = comeBack()
	do(p.Stop)
	site.certify(t)
	do(p.Start)
	r.renewed = comeBack()
	do(p.Stop)
	r.said = p.Problems()
	return r
}

// with is the environment that has gosess.
func with(t *testing.T, cache string, more ...string) func(dir string) []string {
	return func(dir string) []string {
		env, err := harness.Preload(strings.ReplaceAll(cache, "@DIR@", dir))
		if err != nil {
			t.Fatal(err)
		}
		return append(env, more...)
	}
}

func without(string) []string { return nil }

// isNoWorse wants what there is without gosess with it too.
func (r report) isNoWorse(t *testing.T, without report) {
	t.Helper()
	for i, c := range harness.Clients {
		for _, look := range []struct {
			when      string
			got, want int
		}{{"while it runs", r.start[i], without.start[i]}, {"after a restart", r.restart[i], without.restart[i]}} {
			if look.got < look.want {
				t.Errorf("%s, %s: %d %% resumed, and %d %% without gosess", c.Name, look.when, look.got, look.want)
			}
		}
	}
	if r.ended != without.ended {
		t.Errorf("it ended with %s, and without gosess with %s", r.ended, without.ended)
	}
	if r.renewed != (seen{}) || without.renewed != (seen{}) {
		t.Errorf("resumed under a renewed certificate: %v %%, and %v %% without gosess", r.renewed, without.renewed)
	}
	for _, line := range r.said {
		t.Errorf("log: %s", line)
	}
}

const file = "shm:@DIR@/stores/store?size=4m"

// page is the environment of docs/servers/others.md for a server.
func (s server) page(t *testing.T) func(dir string) []string {
	return func(dir string) []string {
		env, err := harness.PageEnvironment("others", filepath.Join(dir, "stores"))
		if err != nil {
			t.Fatal(err)
		}
		if s.tickets != "" {
			return harness.WithTickets(env, s.tickets)
		}
		return env
	}
}

// No server is worse off with gosess, whatever the store; and those that gain do so as the page says: with its environment all
// are resumed, after a restart too, and where they keep their tickets those without tickets are.
func TestServers(t *testing.T) {
	harness.NeedBuild(t)
	caches := harness.Few(2, []string{"memory:?size=4m", file, "shm:?size=4m"})
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			if s.slow {
				harness.OnlyWhereAll(t)
			}
			t.Parallel()
			plain := s.run(t, without)
			for _, cache := range caches {
				t.Run(cache, func(t *testing.T) {
					got := s.run(t, with(t, cache))
					got.isNoWorse(t, plain)
					if s.gains && cache == file && got.restart[1] != s.taught() {
						t.Errorf("without tickets: %d %% resumed after a restart, where the page promises %d", got.restart[1], s.taught())
					}
				})
			}
			if !s.gains {
				return
			}
			t.Run("page", func(t *testing.T) {
				got := s.run(t, s.page(t))
				got.isNoWorse(t, plain)
				if all, again := (seen{100, 100, 100}), (seen{s.taught(), 100, 100}); got.start != all || got.restart != again {
					t.Errorf("resumed %v %%, after a restart %v %%, where the page promises %v and %v", got.start, got.restart, all, again)
				}
			})
		})
	}
}

// What the page tells an operator to do does what it says.
func TestPage(t *testing.T) {
	t.Parallel()
	harness.NeedBuild(t)
	site := newSite(t)
	p := mosquitto(t, site)
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	harness.PageTour{
		Page: "others", Dir: filepath.Join(site.dir, "stores"), Server: p, Through: &p.Through, Env: &p.Env, Known: true,
		Resumes: func(bool) {
			r, err := harness.Load(p.Port, "--tls", "1.2", "--no-ticket", "--until-end", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
			if err != nil || r.Errors != 0 || r.Resumed != r.Attempts {
				t.Errorf("%+v %v", r, err)
			}
		},
	}.Run(t)
}

// What the page says not to do with redis costs what it says.
func TestRedisWithoutTickets(t *testing.T) {
	harness.NeedBuild(t)
	for _, s := range servers {
		if s.name == "redis" {
			got := s.run(t, with(t, file, "GOSESS_TICKETS=stateful"))
			if got.start[0] != 0 || got.start[2] == 100 {
				t.Errorf("resumed %v %%, after a restart %v %%", got.start, got.restart)
			}
		}
	}
}
