package nginx_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// withStore is a newServer with a store in its directory, and the store's URL.
func withStore(t *testing.T) (*server, string) {
	t.Helper()
	s := newServer(t, "")
	url := "shm:" + filepath.Join(s.Dir, "store")
	env, err := harness.Preload(url + "?size=16m")
	if err != nil {
		t.Fatal(err)
	}
	s.Env = env
	return s, url
}

func stats(t *testing.T, store ...string) harness.Stats {
	t.Helper()
	got, err := harness.ReadStats(store...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// What the counters in the store say and what the client saw is the same, exactly.
func TestCountersAgreeWithTheClient(t *testing.T) {
	s, url := withStore(t)
	s.do(s.Start)
	var hits, stores uint64
	each(t, func(t *testing.T, version string) {
		s.t = t
		r := s.resumes("--tls", version, "--attempts", harness.Times(1000))
		hits += uint64(r.Resumed)
		stores += uint64(r.Tickets)
		if got := stats(t, url); got[sessioncache.Hits] != hits || got[sessioncache.Stores] != stores || got[sessioncache.Misses] != 0 || got[sessioncache.Errors] != 0 {
			t.Errorf("the client saw %d hits and %d sessions, the store %+v", hits, stores, got)
		}
	})
	s.t = t
}

// The same for a store in memory, which is found by any process that has it.
func TestCountersOfAStoreInMemory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may open what another process has mapped: proc(5), map_files")
	}
	s := started(t, anonymous)
	r := s.resumes(few("1.3")...)
	for _, p := range append(s.Workers(), s.Master()) {
		got := stats(t, "--pid", strconv.Itoa(p.PID))
		if got[sessioncache.Hits] != uint64(r.Resumed) || got[sessioncache.Stores] != uint64(r.Tickets) || got[sessioncache.Misses] != 0 {
			t.Errorf("the client saw %+v, the store %+v", r, got)
		}
	}
}

// nginx's own caches, and what becomes of them.
func TestSessionCacheModes(t *testing.T) {
	for _, test := range []struct {
		cache string
		hits  bool
	}{
		{cache: "none", hits: true},
		{cache: "builtin", hits: true},
		{cache: "builtin:1000 shared:test:1m", hits: true},
		{cache: "shared:test:1m", hits: false}, // theirs answers first
	} {
		t.Run(test.cache, func(t *testing.T) {
			each(t, func(t *testing.T, version string) {
				s, url := withStore(t)
				s.SessionCache = test.cache
				s.do(s.Start)
				old := s.pool(version)
				r := s.resumes(append(old, "--attempts", harness.Times(400))...)
				if got := stats(t, url); (got[sessioncache.Hits] == uint64(r.Resumed)) != test.hits || got[sessioncache.Stores] == 0 {
					t.Errorf("the store says %+v", got)
				}
				// nginx's own cache is gone now; the store is not.
				s.do(s.Stop)
				s.do(s.Start)
				s.resumes(append(old, "--attempts", harness.Times(200))...)
			})
		})
	}
}

// A host that says off gets no cache.
func TestOffStaysOff(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		s.SessionCache = "off"
		s.do(s.Start)
		s.refuses(few(version)...)
		// libssl asks for TLS 1.3 sessions even so (L8).
		if got := stats(t, url); got[sessioncache.Stores] != 0 || got[sessioncache.Hits] != 0 || got[sessioncache.Misses] != 0 {
			t.Errorf("the store says %+v", got)
		}
	})
}

// Live sessions are kept where nginx lets libssl keep some. With none, its default, it does not: it
// sets SSL_SESS_CACHE_NO_INTERNAL_STORE.
func TestMemoryUnderItsModes(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		for _, cache := range []string{"none", "builtin"} {
			s := newServer(t, "memory:")
			s.SessionCache, s.WorkerCount = cache, 1
			s.do(s.Start)
			if cache == "none" {
				s.refuses(few(version)...)
			} else {
				s.resumes(few(version)...)
			}
		}
	})
}

// With tickets on, sessions are in the tickets: nobody could ask for a stored one (L4).
func TestTicketsAreNotStored(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		s.Tickets = true
		s.do(s.Start)
		s.resumes(few(version)...)
		if got := stats(t, url); got[sessioncache.Stores] != 0 || got[sessioncache.Hits] != 0 {
			t.Errorf("the store says %+v", got)
		}
	})
}

// A client without tickets resumes by id from the store, also where tickets are on.
func TestTicketsOnAndAClientWithoutThem(t *testing.T) {
	s, url := withStore(t)
	s.Tickets = true
	s.do(s.Start)
	r := s.resumes(few("1.2", "--no-ticket")...)
	if got := stats(t, url); got[sessioncache.Hits] != uint64(r.Resumed) || got[sessioncache.Stores] != uint64(r.Full) {
		t.Errorf("the store says %+v", got)
	}
}

// GOSESS_TICKETS=stateful makes sessions of all tickets, whatever nginx says.
func TestStatefulTickets(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		s.Tickets = true
		s.Env = append(s.Env, "GOSESS_TICKETS=stateful")
		s.do(s.Start)
		r := s.resumes(few(version)...)
		if got := stats(t, url); got[sessioncache.Hits] != uint64(r.Resumed) || got[sessioncache.Stores] != uint64(r.Tickets) {
			t.Errorf("the client saw %+v, the store %+v", r, got)
		}
	})
}
