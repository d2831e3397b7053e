package differential_test

import (
	"testing"

	"gosess/tests/harness"
)

// Does a host that has keys of its own for its tickets see the same, call by call, whatever GOSESS_TICKETS says; and one that has
// given them up again?
func TestTicketKeys(t *testing.T) {
	path := compile(t, "keys")
	for _, version := range versions {
		want, stderr, err := harness.Execute(nil, path, "--tls"+version)
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		for _, cache := range []string{"memory:", "shm:?size=2m"} {
			for _, tickets := range []string{"keep", "shared"} {
				t.Run(version+" "+cache+" "+tickets, func(t *testing.T) {
					env, err := harness.Preload(cache)
					if err != nil {
						t.Fatal(err)
					}
					got, stderr, err := harness.Execute(append(env, "GOSESS_TICKETS="+tickets), path, "--tls"+version)
					if err != nil || stderr != "" {
						t.Fatalf("%v\n%s", err, stderr)
					}
					if got != want {
						t.Error(difference(want, got))
					}
				})
			}
		}
	}
}
