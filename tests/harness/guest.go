package harness

import (
	"os"
	"path/filepath"
	"testing"
)

// Guest is a client that comes again, to a server that has a store: how it calls, and where.
type Guest struct {
	T         *testing.T
	Store     string // the URL of the store
	Port      int
	Arguments []string // of the load client
	Live      bool     // what is resumed is the server's own object, not counted by the store, and in TLS 1.3 leads to no other
}

// With is the same client with more arguments; of two that say the same, the last one counts.
func (g Guest) With(arguments ...string) Guest {
	g.Arguments = append(append([]string(nil), g.Arguments...), arguments...)
	return g
}

// At is the same client at another port.
func (g Guest) At(port int) Guest {
	g.Port = port
	return g
}

func (g Guest) load(arguments ...string) Result {
	g.T.Helper()
	r, err := Load(g.Port, append(append([]string(nil), g.Arguments...), arguments...)...)
	if err != nil {
		g.T.Fatal(err)
	}
	if r.Errors != 0 {
		g.T.Fatalf("%v %v: %d errors:\n%s", g.Arguments, arguments, r.Errors, r.Said)
	}
	return r
}

// Sessions makes some, and returns the file that they are in.
func (g Guest) Sessions() (file string) {
	g.T.Helper()
	file = filepath.Join(g.T.TempDir(), "sessions")
	g.load("--sessions", "20", "--attempts", "0", "--save", file)
	return file
}

// offers is what became of the sessions, and how many the store gave out for them.
func (g Guest) offers(file string) (r Result, hits uint64) {
	g.T.Helper()
	before := g.Stats()
	attempts := "40"
	if g.Live {
		attempts = "20" // each session once
	}
	r = g.load("--load", file, "--attempts", attempts)
	return r, g.Stats().Hits - before.Hits
}

// Resumes wants them resumed, each time.
func (g Guest) Resumes(file string) {
	g.T.Helper()
	if r, hits := g.offers(file); r.Attempts == 0 || r.Resumed != r.Attempts || hits < uint64(r.Resumed) && !g.Live {
		g.T.Errorf("%v: resumed %d of %d, of which the store gave out %d", g.Arguments, r.Resumed, r.Attempts, hits)
	}
}

// IsRefused wants none resumed, and none given out: libssl may refuse what it is given, by the session id context.
func (g Guest) IsRefused(file string) {
	g.T.Helper()
	if r, hits := g.offers(file); r.Attempts == 0 || r.Resumed != 0 || hits != 0 {
		g.T.Errorf("%v: resumed %d of %d, and the store gave out %d", g.Arguments, r.Resumed, r.Attempts, hits)
	}
}

// ResumesNone wants nothing resumed of what it is given here and now.
func (g Guest) ResumesNone() {
	g.T.Helper()
	if r := g.load("--sessions", "20", "--attempts", "40"); r.Resumed != 0 {
		g.T.Errorf("%v: resumed %d of %d", g.Arguments, r.Resumed, r.Attempts)
	}
}

// Expires wants sessions that were resumed to be so no more, soon. What is saved is the newest
// ticket of each chain, so that the end of the first is the end of all.
func (g Guest) Expires(file string) {
	g.T.Helper()
	before := g.Stats()
	err := WaitFor("the sessions to expire", func() bool {
		return g.load("--load", file, "--attempts", "40", "--save", file).Resumed == 0
	})
	if err != nil {
		g.T.Error(err)
	}
	if after := g.Stats(); after.Hits == before.Hits && !g.Live {
		g.T.Errorf("nothing was resumed while it could be: %+v", after)
	}
}

// StayApart wants the sessions of each of two clients, whom different authorities vouch for, resumed by itself, and not by
// the other, nor by one whom nobody is asked to vouch for; nor that one's sessions by them.
func StayApart(public Guest, clients []Guest) {
	public.T.Helper()
	for from, client := range clients {
		of := client.Sessions()
		clients[1-from].IsRefused(of)
		public.IsRefused(of)
		client.Resumes(of)
		client.IsRefused(public.Sessions())
	}
}

// EndsWhenRenewed wants sessions to outlive each way to make the server read its certificate again, and to end with it where
// the certificate was renewed before.
func (g Guest) EndsWhenRenewed(renew func(), ways ...func() error) {
	g.T.Helper()
	for _, again := range ways {
		of := g.Sessions()
		if err := again(); err != nil {
			g.T.Fatal(err)
		}
		g.Resumes(of)
		renew()
		if err := again(); err != nil {
			g.T.Fatal(err)
		}
		g.IsRefused(of)
	}
}

// Stats are the counters of the store.
func (g Guest) Stats() Stats {
	g.T.Helper()
	stats, err := ReadStats(g.Store)
	if err != nil {
		g.T.Fatal(err)
	}
	return stats
}

// StartFor starts a server whose log is judged when the test ends.
func StartFor(t *testing.T, s *Subject) {
	t.Helper()
	t.Cleanup(func() { s.end(t) })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
}

// ClientOf makes an authority, and a client that it vouches for: the path of the authority's certificate,
// and the arguments of the load client.
func ClientOf(t *testing.T, dir string) (authority string, arguments []string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	made, err := NewAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	client, err := made.Issue("client.test")
	if err != nil {
		t.Fatal(err)
	}
	return made.CA, []string{"--cert", client.Cert, "--key", client.Key}
}

// EachVersion runs a test for both versions of TLS, each with a server of its own.
func EachVersion(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run("TLS "+version, func(t *testing.T) {
			t.Parallel()
			NeedBuild(t)
			test(t, version)
		})
	}
}

// OtherVersion is the one that is not that.
func OtherVersion(version string) string {
	return map[string]string{"1.2": "1.3", "1.3": "1.2"}[version]
}
