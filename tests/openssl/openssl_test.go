package openssl_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// twice connects two times to one server, the second time with the session of the first.
func (b *bench) twice(environment []string, tls string, c cache) (reused bool, said string) {
	b.t.Helper()
	s := b.serve(environment, append([]string{tls, "-naccept", "2"}, c.options...)...)
	file := b.obtain(s, c.issues(tls))
	reused = b.resume(s, tls, file)
	return reused, s.finish()
}

// s_server does and prints the same with the library as without; its statistics too.
func TestServer(t *testing.T) {
	each(t, func(b *bench, tls string, c cache) {
		check := func(what string, reused bool, said, alone string) {
			b.t.Helper()
			if reused != c.reuses || said != alone {
				b.t.Errorf("%s: reused %v\n%s", what, reused, differences(said, alone))
			}
		}
		reused, alone := b.twice(nil, tls, c)
		check("without the library", reused, alone, alone)
		reused, said := b.twice(preload(b.t, ""), tls, c)
		check("without a cache", reused, said, alone)

		store := "shm:" + filepath.Join(b.t.TempDir(), "store")
		reused, said = b.twice(preload(b.t, store+"?size=1m"+c.url), tls, c)
		check("with a cache", reused, said, alone)
		stats, err := harness.ReadStats(store)
		if err != nil || stats[sessioncache.Hits] != c.ours || (stats[sessioncache.Stores] > 0) != c.shares {
			b.t.Errorf("the store says %+v %v", stats, err)
		}
	})
}

// differences are the lines in which a server with the library differs from one without.
func differences(with, without string) string {
	got, want := strings.Split(with, "\n"), strings.Split(without, "\n")
	if len(got) != len(want) {
		return with + "\nwithout the library:\n" + without
	}
	var lines strings.Builder
	for i := range got {
		if got[i] != want[i] {
			fmt.Fprintf(&lines, "got  %s\nwant %s\n", got[i], want[i])
		}
	}
	return lines.String()
}

// Another server process resumes what the first one stored, after its own cache was asked; where that has the last word, it does not.
func TestServerStartedAgain(t *testing.T) {
	each(t, func(b *bench, tls string, c cache) {
		store := "shm:" + filepath.Join(b.t.TempDir(), "store") + "?size=1m" + c.url
		for _, host := range []struct {
			name        string
			environment []string
			reuses      bool
		}{
			{"without the library", nil, false},
			{"without a cache", preload(b.t, ""), false},
			{"with a cache", preload(b.t, store), c.shares},
		} {
			options := append([]string{tls, "-naccept", "1"}, c.options...)
			s := b.serve(host.environment, options...)
			file := b.obtain(s, c.issues(tls))
			s.finish()
			s = b.serve(host.environment, options...)
			reused := b.resume(s, tls, file)
			said := s.finish()
			asked := strings.Contains(said, "Lookup session: cache miss")
			if reused != host.reuses || asked != c.hasItsOwn() {
				b.t.Errorf("%s: reused %v\n%s", host.name, reused, said)
			}
		}
	})
}

// s_client -reconnect makes one session and resumes it five times. In TLS 1.3 it leaves before
// the session comes.
func TestReconnect(t *testing.T) {
	each(t, func(b *bench, tls string, c cache) {
		want := strings.Repeat("New ", 6)
		if tls == "-tls1_2" && c.reuses {
			want = "New " + strings.Repeat("Reused ", 5)
		}
		for _, environment := range [][]string{nil, preload(b.t, ""), preload(b.t, "shm:?size=1m"+c.url)} {
			s := b.serve(environment, append([]string{tls, "-naccept", "6"}, c.options...)...)
			client := b.start(nil, "s_client", "-connect", s.address, "-reconnect")
			got := ""
			client.wait("six handshakes", func() bool {
				got = ""
				found := kinds.FindAllStringSubmatch(client.read(client.stdout), -1)
				for _, kind := range found {
					got += kind[1] + " "
				}
				return len(found) == 6
			})
			client.quit()
			s.finish()
			if got != want {
				b.t.Errorf("%v: %s, not %s", environment, got, want)
			}
		}
	})
}

var (
	timed       = regexp.MustCompile(`(?m)^starting\n([rt*]+)$`)
	connections = regexp.MustCompile(`(?m)^(\d+) connections in \d+ real seconds`)
)

// s_time resumes one session as often as it can: every time, and every time from gosess where
// gosess is the cache.
func TestTime(t *testing.T) {
	each(t, func(b *bench, tls string, c cache) {
		b.t.Parallel() // they take the time that s_time is told, however busy the machine is
		url, store := "", "shm:"+filepath.Join(b.t.TempDir(), "store")
		cached := !c.hasItsOwn()
		if cached {
			url = store + "?size=16m"
		}
		s := b.serve(preload(b.t, url), append([]string{tls, "-www"}, c.options...)...)
		stdout, stderr := b.v.Run(b.t, nil, b.openssl, "s_time", "-connect", s.address,
			"-reuse", "-www", "/", "-time", "1")
		kinds, number := timed.FindStringSubmatch(stdout), connections.FindStringSubmatch(stdout)
		if kinds == nil || number == nil {
			b.t.Fatalf("s_time: %s%s", stdout, stderr)
		}
		total, _ := strconv.ParseUint(number[1], 10, 64)
		reused := uint64(strings.Count(kinds[1], "r"))
		b.t.Logf("%d of %d resumed", reused, total)
		if total == 0 || (reused == total) != c.reuses || (reused == 0) == c.reuses {
			b.t.Errorf("%d of %d resumed", reused, total)
		}
		if !cached {
			return
		}
		stats, err := harness.ReadStats(store)
		if err != nil || stats[sessioncache.Hits] != c.ours*reused || stats[sessioncache.Errors] != 0 {
			b.t.Errorf("%d resumed, the store says %+v %v", reused, stats, err)
		}
	})
}
