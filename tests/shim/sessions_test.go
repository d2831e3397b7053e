package shim_test

import (
	"strings"
	"testing"

	"gosess/sessioncache"
)

// scenario is one scenario of a program, and what it prints with gosess in each version.
type scenario struct {
	name     string
	v12, v13 string // lines with "|" between; "" is no run in that version
}

func runScenarios(t *testing.T, program string, scenarios []scenario) {
	for _, test := range scenarios {
		for i, want := range []string{test.v12, test.v13} {
			if want == "" {
				continue
			}
			t.Run(test.name+strings.TrimPrefix(versions[i], "--tls"), func(t *testing.T) {
				t.Parallel()
				s := served(t, program, versions[i], test.name).run(t)
				s.wants(t, strings.Split(want, "|")...)
				s.logs(t)
			})
		}
	}
}

const (
	shared = "resumed|owner: resumed"
	apart  = "full|owner: resumed"
)

// Which two contexts share sessions, and which do not?
func TestIsolation(t *testing.T) {
	runScenarios(t, "isolation", []scenario{
		{"alike", shared, shared},
		{"trusted-alike", shared, shared},
		{"server-name-alike", shared, shared},
		{"certificate", apart, apart},
		{"verify-mode", apart, apart},
		{"verify-strictness", apart, apart},
		{"announced", apart, apart},
		{"trusted", apart, apart},
		{"depth", apart, apart},
		{"flags", apart, apart},
		{"id-context", apart, apart},
		{"server-name", apart, apart},
		// Two names keep apart, and not one and none.
		{"no-server-name", shared, shared},
		{"server-name-appears", shared, shared},
	})
}

// Do contexts share no session that differ in one setting of how they verify clients?
func TestIsolationOfVerification(t *testing.T) {
	const told = "differs: full|owner: resumed|same: resumed|owner: resumed|set later: full"
	var settings, functions []scenario
	for _, name := range []string{
		"store", "store-depth", "host", "second-host", "email", "address",
		"host-flags", "inherit-flags", "auth-level", "purpose", "purpose-of-context", "trust", "trust-of-context",
		"security-level", "client-signatures", "signatures", "conf-client-signatures", "client-types",
		"groups", "group-of-key", "certificate-flags", "certificate-list", "compression",
	} {
		settings = append(settings, scenario{name, told, told})
	}
	// A function of the program means something to its own context alone, and nobody can say what will
	// be found in a folder.
	const untold = "differs: full|owner: resumed|same: full|owner: resumed|set later: full"
	for _, name := range []string{
		"store-callback", "callback", "verifier", "store-function", "security-callback",
		"folder", "default-paths", "default-folder", "lookup", "uri", "policies", "copied-param", "store-trust",
	} {
		functions = append(functions, scenario{name, untold, untold})
	}
	runScenarios(t, "verification", settings)
	runScenarios(t, "untold", functions)
	// What has no name in other processes is shared by the forked workers of one context alone.
	const unnamed = "child: full|child: resumed|same: full|owner: resumed"
	runScenarios(t, "untold", []scenario{
		{"other-callback", "differs: full|owner: resumed", "differs: full|owner: resumed"},
		{"closure", unnamed, unnamed},
		{"folder-unused", "same: resumed|owner: resumed", "same: resumed|owner: resumed"},
		{"file-lookup", "same: resumed|owner: resumed", "same: resumed|owner: resumed"},
		{"added-in-use", "before: resumed|after: full", "before: resumed|after: full"},
		{"argument", unnamed, unnamed},
		// Kept in this process, for that context.
		{"by-connection", "differs: full|owner: resumed", "differs: full|owner: resumed"},
		{"argument-again", "set again: resumed|another: full", "set again: resumed|another: full"},
	})
}

// Can a host make a context while it holds the lock of a store?
func TestLockedStore(t *testing.T) {
	runScenarios(t, "verification", []scenario{{"locked-store", "made", "made"}})
}

// Do contexts stay apart that are still being configured when another one serves already?
func TestIsolationOfLateContexts(t *testing.T) {
	runScenarios(t, "isolation", []scenario{
		{"configured-late", apart, apart},
		{"looked-at-early", apart, apart},
	})
	const toggled = "0: full|0: resumed, the other's: none|1: full|1: resumed, the other's: full|" +
		"0: resumed, the other's: full|1: resumed, the other's: full|" +
		"0: resumed, the other's: full|1: resumed, the other's: full|memory flat"
	const replaced = "resumed|replaced: full"
	runScenarios(t, "isolation", []scenario{
		{"toggled", toggled, toggled},
		{"names-replaced", replaced, replaced},
		{"store-replaced", replaced, replaced},
	})
}

// Which processes share sessions?
func TestIsolationBetweenProcesses(t *testing.T) {
	runScenarios(t, "isolation", []scenario{
		{"processes", "full|resumed|another certificate: full", "full|resumed|another certificate: full"},
		{"verifying-processes", "full|resumed|resumed", "full|resumed|resumed"},
	})
}

// Whose callbacks and sessions are those of a connection that is switched to another context?
func TestServerNames(t *testing.T) {
	runScenarios(t, "names", []scenario{
		{"servername-callback", "full: new|resumed: -|other name: full|second itself: resumed", "full: new|resumed: new|other name: full|second itself: resumed"},
		{"client-hello-callback", "full: new|resumed: -|other name: full|second itself: resumed", "full: new|resumed: new|other name: full|second itself: resumed"},
		{"first-is-freed", "full: new", "full: new"},
	})
}

// Does a copied connection leave the context alone that its original was made from?
func TestCopiedConnection(t *testing.T) {
	runScenarios(t, "names", []scenario{{"copied-connection", "full: second-new", "full: second-new"}})
}

// When does a session end, and what leaves it alone?
func TestLives(t *testing.T) {
	runScenarios(t, "lives", []scenario{
		{"clean", "resumed|then: resumed", "resumed|then: resumed"},
		{"unclean", "resumed|then: full", "resumed|then: resumed"}, // in 1.3 the last ticket alone is bad (L14)
		{"alert", "resumed|then: full", "resumed|then: resumed"},
		{"first-unclean", "full", "full"},
		{"first-alert", "full", "full"},
		{"expired", "full", "full"},
		{"chain", "full|resumed|full", "full|resumed|full"},
		{"freed-context", "resumed|resumed|resumed", "resumed|resumed|resumed"},
		{"hostile", "victim: full|other: full|other: resumed|callback: remove|victim: resumed", ""},
	})
}

// Do sessions outlive the context that the host had added them to?
func TestFreeingAContextRemovesNothing(t *testing.T) {
	runScenarios(t, "lives", []scenario{{"freed-with-sessions", "resumed|resumed|resumed", "resumed|resumed|resumed"}})
}

// Is what the host adds in its callback stored once, where a shared store would have it otherwise, behind a
// cache of the host?
func TestAddedInCallback(t *testing.T) {
	for _, test := range []struct {
		version string
		want    []string
	}{
		{"--tls1.2", []string{"then: 1", "nothing: resumed", "nothing: resumed"}},
		{"--tls1.3", []string{"then: 1", "nothing: resumed", "nothing: full"}},
	} {
		h := served(t, "added", test.version, "stored-by-host")
		h.second = true
		s := h.run(t)
		s.wants(t, test.want...)
		s.logs(t)
	}
}

// Are sessions served in the corners of TLS?
func TestProtocol(t *testing.T) {
	runScenarios(t, "protocol", []scenario{
		{"tickets", "full: -|resumed: -", "full: new new|resumed: new"},
		{
			"early-data-no-anti-replay", "",
			"resumed, sent 1, early data taken|resumed, sent 1, early data taken",
		},
		{
			"early-data-stateless", "",
			"resumed, sent 1, early data taken|resumed, sent 1, early data taken",
		},
		{
			"several-tickets", "",
			"0 wanted, 0 received, 0 resumed|1 wanted, 1 received, 1 resumed|2 wanted, 2 received, 2 resumed|5 wanted, 5 received, 5 resumed",
		},
		{
			"renegotiation",
			"full: new|anew full: new|anew full: new|then: resumed|full: new|abbreviated resumed: -|abbreviated resumed: -|then: resumed", "",
		},
		{"dtls", "full: new|resumed: -|resumed: -", ""},
		{"another-cipher", "full|resumed|another: full", ""},
		{"another-cipher-dtls", "full|resumed|another: full", ""},
		{
			"client-certificate",
			"full, the client's certificate is known, verified 18|resumed, the client's certificate is known, verified 18",
			"full, the client's certificate is known, verified 18|resumed, the client's certificate is known, verified 18",
		},
	})
	// The host, which has a cache of its own, is asked twice, and the session is found twice.
	h := served(t, "protocol", "--tls1.3", "hello-retry")
	h.second = true
	s, got := h.counted(t)
	s.wants(t, "full: -", "resumed: get get")
	s.logs(t)
	if want := (sessioncache.Counters{sessioncache.Stores: 3, sessioncache.Hits: 2}); got != want {
		t.Errorf("hello-retry: counted %+v, not %+v", got, want)
	}
}

// Is it gosess that is asked, and what does it store? The counters of the store say so.
func TestCounters(t *testing.T) {
	for _, test := range []struct {
		program, version, scenario string
		want                       sessioncache.Counters
	}{
		{"chained", "--tls1.2", "ours-first", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1, sessioncache.KeptData: 1}},
		{"chained", "--tls1.3", "ours-first", sessioncache.Counters{sessioncache.Stores: 3, sessioncache.Hits: 1, sessioncache.KeptData: 3}},
		{"chained", "--tls1.2", "theirs-first", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.KeptData: 1}},
		{"chained", "--tls1.2", "off", sessioncache.Counters{}},
		{"chained", "--tls1.2", "client-mode", sessioncache.Counters{}},
		{"chained", "--tls1.2", "general-client", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1}},
		{"chained", "--tls1.2", "own-client", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1}},
		{"protocol", "--tls1.2", "tickets", sessioncache.Counters{}},
		{"protocol", "--tls1.3", "tickets", sessioncache.Counters{}},
		{"protocol", "--tls1.3", "early-data-stateless", sessioncache.Counters{}},
		{"protocol", "--tls1.3", "hello-retry", sessioncache.Counters{}}, // the host has the last word
		{"lives", "--tls1.2", "unclean", sessioncache.Counters{sessioncache.Stores: 2, sessioncache.Hits: 1, sessioncache.Misses: 1, sessioncache.Removals: 1, sessioncache.MissedAbsent: 1}},
		{"lives", "--tls1.2", "expired", sessioncache.Counters{sessioncache.Stores: 2, sessioncache.Misses: 1, sessioncache.Expiries: 1, sessioncache.MissedExpired: 1}},
		{"lives", "--tls1.2", "hostile", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1, sessioncache.KeptData: 1}},
		{"protocol", "--tls1.2", "another-cipher", sessioncache.Counters{sessioncache.Stores: 2, sessioncache.Hits: 1, sessioncache.Misses: 1, sessioncache.MissedCipher: 1}},
		{"names", "--tls1.2", "servername-callback", sessioncache.Counters{sessioncache.Stores: 2, sessioncache.Hits: 2, sessioncache.Misses: 1, sessioncache.MissedUnknown: 1}},
		{"untold", "--tls1.2", "folder", sessioncache.Counters{sessioncache.Stores: 6, sessioncache.Hits: 2, sessioncache.Misses: 3, sessioncache.MissedUnknown: 3, sessioncache.KeptUnknown: 4}},
		{"untold", "--tls1.2", "by-connection", sessioncache.Counters{sessioncache.Stores: 2, sessioncache.Hits: 1, sessioncache.Misses: 1, sessioncache.MissedAbsent: 1, sessioncache.KeptRules: 2}},
		{"chained", "--tls1.2", "added-by-host", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1, sessioncache.KeptAdded: 1}},
		{"told", "--tls1.2", "chain", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1, sessioncache.KeptChain: 1}},
		{"told", "--tls1.3", "chain", sessioncache.Counters{sessioncache.Stores: 2, sessioncache.Hits: 1, sessioncache.KeptChain: 2}},
		{"told", "--tls1.2", "large", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1, sessioncache.TooBig: 1, sessioncache.KeptLarge: 1}},
		// What comes of a session that is kept is kept too, whatever its own bytes are.
		{"told", "--tls1.3", "large", sessioncache.Counters{sessioncache.Stores: 2, sessioncache.Hits: 1, sessioncache.TooBig: 1, sessioncache.KeptLarge: 1, sessioncache.KeptChain: 1}},
		{"isolation", "--tls1.2", "certificate", sessioncache.Counters{sessioncache.Stores: 2, sessioncache.Hits: 1, sessioncache.Misses: 1, sessioncache.MissedTerms: 1}},
	} {
		t.Run(test.program+" "+test.scenario+strings.TrimPrefix(test.version, "--tls"), func(t *testing.T) {
			t.Parallel()
			s, got := served(t, test.program, test.version, test.scenario).counted(t)
			if got != test.want {
				t.Errorf("counted %+v, not %+v; it printed:\n%s", got, test.want, s.out)
			}
		})
	}
}

// Does GOSESS_TICKETS=stateful make tickets a matter of the store?
func TestStatefulTickets(t *testing.T) {
	for version, test := range map[string]struct {
		prints string
		counts sessioncache.Counters
	}{
		"--tls1.2": {"full: new|resumed: -", sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1}},
		"--tls1.3": {"full: new new|resumed: new", sessioncache.Counters{sessioncache.Stores: 3, sessioncache.Hits: 1}},
	} {
		h := served(t, "protocol", version, "tickets")
		h.env = []string{"GOSESS_TICKETS=stateful"}
		s, counted := h.counted(t)
		s.wants(t, strings.Split(test.prints, "|")...)
		if counted != test.counts {
			t.Errorf("%s: counted %+v, not %+v", version, counted, test.counts)
		}
	}
}

// Is that so of the contexts in use, whichever way a host switches, and of no other one?
func TestStatefulTicketsOfContextsInUse(t *testing.T) {
	for _, version := range versions {
		h := served(t, "names", version, "stateful")
		h.env = []string{"GOSESS_TICKETS=stateful"}
		h.run(t).wants(t, "an id", "changed", "changed", "as it was")
	}
}
