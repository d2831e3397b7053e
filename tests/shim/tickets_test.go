package shim_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gosess/sessioncache/shm"
	"gosess/tests/harness"
)

// lasting are the scenarios of the program that says until when tickets are opened; tickets says who opens whose.
var lasting = []string{"chain", "two-periods", "periods", "gap", "no-timeout", "longer-timeout", "later-names", "set-back", "after-a-pause"}

// ticketed is the program that has a scenario of tickets, with GOSESS_TICKETS=shared.
func ticketed(t *testing.T, cache, version, scenario string) host {
	t.Helper()
	name := "tickets"
	if slices.Contains(lasting, scenario) {
		name = "lasting"
	}
	h := served(t, name, version, scenario)
	h.cache, h.env = cache, []string{"GOSESS_TICKETS=shared"}
	return h
}

// Who opens whose tickets, and until when? What a name leads to, and another process's secrets, are for who shares a store.
func TestSharedTickets(t *testing.T) {
	beyond := map[string]string{"--tls1.2": "just after: full", "--tls1.3": "just after: resumed"}
	early := map[string]string{"--tls1.2": "resumed", "--tls1.3": "full"} // data, which TLS 1.2 has not
	given := map[string]string{"--tls1.2": "full", "--tls1.3": "resumed"} // up
	for _, version := range versions {
		for _, cache := range []string{"memory:", "shm:?size=1m"} {
			for scenario, want := range map[string]string{
				"bound": "alike: resumed, at its own: resumed|another certificate: full, at its own: resumed|" +
					"asks for a certificate: full, at its own: resumed|another security level: full, at its own: resumed|" +
					"the same name: resumed, at its own: resumed|another name: full, at its own: resumed|" +
					"no name, then one: resumed, at its own: resumed|a name, then none: resumed, at its own: resumed",
				"left-alone":         "knows clients by their keys: resumed, at its own: resumed|chooses its certificate: full, at its own: resumed|early data: " + early[version] + ", at its own: resumed",
				"without-id-context": "no id context: full, at its own: failed", // as without gosess
				"data": "the same functions: resumed, at its own: resumed|another function: full, at its own: resumed|" +
					"no function: full, at its own: resumed|a function for what has no data: full, at its own: resumed|" +
					"another function, and no tickets: full, at its own: resumed",
				"renewed":       "full|full|full|resumed",
				"chain":         "full|just before: resumed|just after: full|and then: resumed",
				"two-periods":   "just before: resumed|" + beyond[version],
				"periods":       "234 resumed, 1596 refused",
				"after-a-pause": "200 of 200 resumed",
				"set-back":      "set back: resumed, at its own: resumed",
				"no-timeout":    "just before: resumed, at its own: resumed",
				"later-names":   "full|resumed|the same name: resumed, another name: full",
				"ciphers":       "the same ciphers: resumed, at its own: resumed|its cipher given up: " + given[version] + ", at its own: resumed",
				"early-names":   "early: own resumed, other full, unknown full, none full|after a change: other resumed",
			} {
				t.Run(scenario+" "+version+" "+cache, func(t *testing.T) {
					t.Parallel()
					s := ticketed(t, cache, version, scenario).run(t)
					s.wants(t, strings.Split(want, "|")...)
					s.logs(t)
				})
			}
		}
		if version == "--tls1.3" {
			ticketed(t, "shm:?size=1m", version, "later-tickets").run(t).wants(t, "nothing: resumed, at its own: resumed",
				"data: full, at its own: resumed", "a certificate: full, at its own: resumed")
		}
		shared := ticketed(t, "shm:?size=1m", version, "late-names").run(t)
		shared.wants(t, "late: own resumed, other full, unknown full, none full", "after a change: other resumed")
		ticketed(t, "shm:?size=1m", version, "processes").run(t).wants(t, "full", "resumed", "resumed")
		ticketed(t, "shm:?size=1m", version, "child").run(t).wants(t, "resumed", "resumed")
		ticketed(t, "shm:?size=1m", version, "longer-timeout").run(t).wants(t, "just before: resumed")
		// In a process for itself nobody says what a name leads to: as without gosess, the context's own key opens all.
		alone := ticketed(t, "memory:", version, "late-names")
		alone.run(t).wants(t, strings.Split(strings.TrimSpace(plain(t, "tickets", version, "late-names").run(t).out), "\n")...)
	}
}

// Are handshakes good, and tickets those of the context, where the secrets cannot be had?
func TestTicketsWithoutSecrets(t *testing.T) {
	for _, version := range versions {
		s := ticketed(t, "shm:?size=1m", version, "gap").run(t)
		s.wants(t, "full", "resumed", "later: resumed, at its own: resumed")
		s.logs(t, "the secrets of tickets: session expired")
		h := ticketed(t, "shm:?size=1m", version, "left-alone")
		h.env = append(h.env, "GOSESS_CORE=/nowhere")
		s = h.run(t)
		s.wants(t, "knows clients by their keys: full, at its own: resumed", "chooses its certificate: full, at its own: resumed", "early data: full, at its own: resumed")
		s.logs(t, "cannot use /nowhere")
	}
}

// Is a secret zeroed when its time is over, in a process and in its store, although nobody comes any more? Nothing in the
// process may race with that.
func TestIdleSecrets(t *testing.T) {
	for _, name := range []string{"gcc address", "gcc thread"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sanitizers[name]
			h := s.host(t, s.core(t, "-DTIDY"), "idle", "memory")
			h.env = append(h.env, "GOSESS_TICKETS=shared")
			h.run(t).wants(t, "while it lasts: there", "and then: zeroed")
		})
	}
	t.Run("store", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(harness.TempDir(t), "store")
		h := ticketed(t, "shm:"+path+"?size=1m", "--tls1.3", "store")
		h.path = program(t, "idle")
		places := shm.PlacesOf(1 << 20)
		period, begin, timeout, _ := harness.SecretThatEnds(time.Now().Unix() + 10)
		h.env = append(h.env, "STORE="+path, fmt.Sprint("RECORDS_AT=", places.RecordsAt), fmt.Sprint("RECORDS_END=", places.RecordsEnd),
			fmt.Sprint("RECORD_SIZE=", places.RecordSize), fmt.Sprintf("GOSESS_TICKET_PERIOD=%dm", period/60),
			fmt.Sprint("BEGINS=", begin), fmt.Sprint("TIMEOUT=", timeout))
		h.library += ":" + object(t, "hasty", "tests/shim/plain/hasty.c")
		s := h.run(t)
		s.wants(t, "2 records", "and then: one")
		s.logs(t)
	})
}

// Are handshakes good whose connection or context was made behind gosess, and is DTLS served?
func TestUnseenTickets(t *testing.T) {
	for _, version := range versions {
		h := ticketed(t, "shm:?size=1m", version, "")
		h.path, h.arguments = program(t, "unseen"), []string{version, "never-seen", "seen-late", "datagrams"}
		s := h.run(t)
		s.wants(t, "full", "not seen: full", "not seen: full", "full", "not seen: full", "not seen: resumed",
			"full", "alike: resumed, at its own: resumed", "another certificate: full",
			"full", "alike: resumed, at its own: resumed", "another certificate: full")
		s.logs(t)
	}
}
