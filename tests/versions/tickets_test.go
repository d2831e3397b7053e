package versions_test

import (
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// Are tickets opened where they should be, and nowhere else, by whichever callback the libssl has?
func TestSharedTickets(t *testing.T) {
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		bound, lasting := v.Compile(t, "tests/c/programs/tickets.c", v.Library(t)), v.Compile(t, "tests/c/programs/lasting.c", v.Library(t))
		environment, err := harness.Preload("shm:?size=1m")
		if err != nil {
			t.Fatal(err)
		}
		environment = append(environment, "GOSESS_TICKETS=shared")
		early := map[string]string{"--tls1.2": "resumed", "--tls1.3": "full"} // data, which TLS 1.2 has not
		for _, version := range []string{"--tls1.2", "--tls1.3"} {
			for scenario, want := range map[string]string{
				"bound": "alike: resumed, at its own: resumed|another certificate: full, at its own: resumed|" +
					"asks for a certificate: full, at its own: resumed|another security level: full, at its own: resumed|" +
					"the same name: resumed, at its own: resumed|another name: full, at its own: resumed|" +
					"no name, then one: resumed, at its own: resumed|a name, then none: resumed, at its own: resumed",
				"left-alone": "knows clients by their keys: resumed, at its own: resumed|" +
					"chooses its certificate: full, at its own: resumed|early data: " + early[version] + ", at its own: resumed",
				"without-id-context": "no id context: full, at its own: failed", // as without gosess
				"data": "the same functions: resumed, at its own: resumed|another function: full, at its own: resumed|" +
					"no function: full, at its own: resumed|a function for what has no data: full, at its own: resumed|" +
					"another function, and no tickets: full, at its own: resumed",
				"renewed":    "full|full|full|resumed",
				"chain":      "full|just before: resumed|just after: full|and then: resumed",
				"periods":    "234 resumed, 1596 refused",
				"late-names": "late: own resumed, other full, unknown full, none full|after a change: other resumed",
			} {
				program := bound
				if scenario == "chain" || scenario == "periods" {
					program = lasting
				}
				stdout, stderr := v.Run(t, environment, program, version, scenario)
				if got := strings.ReplaceAll(strings.TrimSpace(stdout), "\n", "|"); got != want || stderr != "" {
					t.Errorf("%s %s: %s, not %s\n%s", scenario, version, got, want, stderr)
				}
			}
		}
	})
}

// The same of connections and contexts that were made behind gosess, and of DTLS.
func TestUnseenTickets(t *testing.T) {
	const want = "full|not seen: full|not seen: full|full|not seen: full|not seen: resumed|" +
		"full|alike: resumed, at its own: resumed|another certificate: full|" +
		"full|alike: resumed, at its own: resumed|another certificate: full"
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		program := v.Compile(t, "tests/c/programs/unseen.c", v.Library(t))
		environment, err := harness.Preload("shm:?size=1m")
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []string{"--tls1.2", "--tls1.3"} {
			stdout, stderr := v.Run(t, append(environment, "GOSESS_TICKETS=shared"), program, version, "never-seen", "seen-late", "datagrams")
			if got := strings.ReplaceAll(strings.TrimSpace(stdout), "\n", "|"); got != want || stderr != "" {
				t.Errorf("%s: %s, not %s\n%s", version, got, want, stderr)
			}
		}
	})
}
