package harness

import (
	"os"
	"path/filepath"
	"testing"

	"gosess/sessioncache"
)

// Guest is a client that comes again, to a server that has a store: how it calls, and where.
type Guest struct {
	T         *testing.T
	Store     string // the URL of the store
	Port      int
	Arguments []string // of the load client
	Late      bool     // it asks for a name, and the server switches to that after libssl has looked for the session
	Forget    func()   // makes the server forget what its own cache has, where that answers before gosess
	Each      bool     // each process of the server learns for itself what the name leads to: see ResumesAtLast
	Never     bool     // nothing is resumed where it calls
	Judged    bool     // the server judges its certificate by code of its own: its sessions are not another process's or configuration's
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

// load runs the load client. What the guest says itself counts before what is asked of all.
func (g Guest) load(arguments ...string) Result {
	g.T.Helper()
	return Loaded(g.T, g.Port, append(arguments, g.Arguments...)...)
}

// Sessions makes some, and returns the file that they are in.
func (g Guest) Sessions() (file string) {
	g.T.Helper()
	file = filepath.Join(g.T.TempDir(), "sessions")
	g.load("--sessions", Times(20), "--attempts", "0", "--save", file)
	return file
}

// Visits makes a handshake of no consequence: what a name leads to, where a server switches late, gosess learns at the first
// handshake of that name in a configuration, which is a full one.
func (g Guest) Visits() {
	g.T.Helper()
	g.With("--sessions", "1", "--attempts", "0").load()
}

// offers is what became of the sessions, and how many the store gave out for them.
func (g Guest) offers(file string) (r Result, hits uint64) {
	g.T.Helper()
	before := g.Stats()
	attempts := Times(40)
	if g.Live {
		attempts = Times(20) // each session once
	}
	r = g.load("--load", file, "--attempts", attempts)
	return r, g.Stats()[sessioncache.Hits] - before[sessioncache.Hits]
}

// Resumes wants them resumed, each time.
func (g Guest) Resumes(file string) {
	g.T.Helper()
	if g.Each {
		g.ResumesAtLast(file)
		return
	}
	r, hits := g.offers(file)
	if r.Resumed != r.Attempts && Lost(g.T, r, g.Store) {
		return
	}
	if r.Attempts == 0 || r.Resumed != r.Attempts || hits < uint64(r.Resumed) && !g.Live {
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

// DoesNotResume wants none resumed, whoever refuses them.
func (g Guest) DoesNotResume(file string) {
	g.T.Helper()
	if r, _ := g.offers(file); r.Attempts == 0 || r.Resumed != 0 {
		g.T.Errorf("%v: resumed %d of %d", g.Arguments, r.Resumed, r.Attempts)
	}
}

// IsTurnedAway wants the server to ask again who the client is, and not to serve it: nothing resumed, nothing given out, no good answer.
func (g Guest) IsTurnedAway(file string) {
	g.T.Helper()
	before := g.Stats()[sessioncache.Hits]
	r, err := Load(g.Port, append([]string{"--load", file, "--attempts", Times(40)}, g.Arguments...)...)
	if err != nil {
		g.T.Fatal(err)
	}
	if hits := g.Stats()[sessioncache.Hits] - before; r.Attempts == 0 || r.Errors != r.Attempts || r.Resumed != 0 || hits != 0 {
		g.T.Errorf("%v: of %d attempts %d were served, %d of them resumed, and the store gave out %d",
			g.Arguments, r.Attempts, r.Handshakes, r.Resumed, hits)
	}
}

// ResumesAgain wants the sessions resumed of a server that has read its configuration again: all but for the first of a name, where it switches late.
func (g Guest) ResumesAgain(file string) {
	g.T.Helper()
	if g.Late {
		g.Visits()
	}
	g.Resumes(file)
}

// ResumesAtLast wants all of them resumed by a server whose processes each learn for themselves what the name leads to, once each
// has had a full handshake.
func (g Guest) ResumesAtLast(file string) {
	g.T.Helper()
	err := WaitFor("all sessions to be resumed", func() bool {
		r, hits := g.offers(file)
		return r.Attempts != 0 && r.Resumed == r.Attempts && hits >= uint64(r.Resumed)
	})
	if err != nil {
		g.T.Errorf("%v: %v", g.Arguments, err)
	}
}

// ResumesNone wants nothing resumed of what it is given here and now.
func (g Guest) ResumesNone() {
	g.T.Helper()
	if r := g.load("--sessions", Times(20), "--attempts", Times(40)); r.Resumed != 0 {
		g.T.Errorf("%v: resumed %d of %d", g.Arguments, r.Resumed, r.Attempts)
	}
}

// Expires wants sessions to be resumed no more, soon, and says whether they were before. What is saved is the newest
// ticket of each chain, so that the end of the first is the end of all.
func (g Guest) Expires(file string) (resumed bool) {
	g.T.Helper()
	before := g.Stats()
	err := WaitFor("the sessions to expire", func() bool {
		return g.load("--load", file, "--attempts", Times(40), "--save", file).Resumed == 0
	})
	if err != nil {
		g.T.Error(err)
	}
	return g.Live || g.Stats()[sessioncache.Hits] > before[sessioncache.Hits]
}

// Expiring tries sessions that last so many seconds, and longer ones where the machine is so busy that none is resumed in time.
func Expiring(t *testing.T, try func(seconds int) (resumed bool)) {
	t.Helper()
	for _, seconds := range []int{3, 15, 45} {
		if try(seconds) {
			return
		}
		t.Logf("nothing was resumed within %d s", seconds)
	}
	t.Error("nothing was resumed while it could be")
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

// Renewable is a client, and how the certificate is renewed that it is shown.
type Renewable struct {
	Guest
	Renew func()
}

// EndsWhenRenewed wants sessions to outlive each way to make the server read its certificate again, and to end with it where
// the certificate was renewed before.
func (g Guest) EndsWhenRenewed(renew func(), ways ...func() error) {
	g.T.Helper()
	EndWhenRenewed([]Renewable{{g, renew}}, ways...)
}

// EndWhenRenewed is that for clients who are shown a certificate each, which are renewed one after the other.
func EndWhenRenewed(guests []Renewable, ways ...func() error) {
	t := guests[0].T
	t.Helper()
	for i, again := range ways {
		read := func() {
			t.Helper()
			if err := again(); err != nil {
				t.Fatalf("way %d: %v", i, err)
			}
		}
		var of []string
		for _, g := range guests {
			of = append(of, g.Sessions())
		}
		read()
		for j, g := range guests {
			g.ResumesAgain(of[j])
		}
		for _, g := range guests {
			old := g.Sessions()
			g.Renew()
			read()
			g.IsRefused(old)
		}
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
