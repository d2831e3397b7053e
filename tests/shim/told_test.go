package shim_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// Under which names are contexts known: the first one that their certificate is for, else its subject? Anything may stand there.
func TestLabels(t *testing.T) {
	for scenario, want := range map[string][]string{
		"labels": {
			"first.example", "only.example", "mail.example", "", "a-name-of-more-than-forty-characters-tha", "hidden.example",
			"a?b?c?d????.example", "empty.example",
		},
		"renamed": {"server"},
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			h := served(t, "told", "--tls1.2", scenario)
			path := filepath.Join(t.TempDir(), "store")
			h.cache = "shm:" + path + "?size=1m"
			s := h.run(t)
			if strings.ReplaceAll(s.out, "full, resumed\n", "") != "" {
				t.Errorf("printed %s", s.out)
			}
			s.logs(t)
			var got []string
			for _, c := range stats(t, path).Contexts {
				got = append(got, c.Label)
				if c.Counters[sessioncache.Hits] == 0 || c.Counters[sessioncache.Hits] != c.Counters[sessioncache.Stores] {
					t.Errorf("%q: %v", c.Label, c.Counters)
				}
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
				t.Errorf("%q, not %q", got, want)
			}
		})
	}
}

// A session of the store whose bytes are no session is a miss, and says why. The Go half has counted a hit by then.
func TestMissedBroken(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			h := served(t, "told", version, "twice")
			h.env = harness.NewCounted(t, t.TempDir(), "-DSPOILS").Env
			s, got := h.counted(t)
			s.wants(t, "full, full")
			if want := (sessioncache.Counters{sessioncache.Misses: 1, sessioncache.MissedBroken: 1, sessioncache.Stores: got[sessioncache.Stores]}); got != want || got[sessioncache.Stores] < 2 {
				t.Errorf("%v, not %v", got, want)
			}
		})
	}
}
