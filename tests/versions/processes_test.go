package versions_test

import (
	"os"
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// Is a host left as it is with each libssl, and with each C library: its descriptors, its user, its
// children, and OpenSSL's objects that its processes share?
func TestProcesses(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		library := v.Library(t)
		for _, test := range []struct{ program, scenario string }{
			{"descriptors", "no-standard"}, {"users", "ordinary"}, {"users", "kept"}, {"users", "given-up"},
			{"users", "with-threads"}, {"helpers", "borrowed-memory"}, {"shared", "shared"},
		} {
			program := v.Compile(t, "tests/c/programs/"+test.program+".c", library)
			alone, _ := v.Run(t, nil, program, test.scenario)
			environment, err := harness.Preload("shm:?size=1m")
			if err != nil {
				t.Fatal(err)
			}
			stdout, stderr := v.Run(t, environment, program, test.scenario)
			if stdout != alone {
				t.Errorf("%s %s: %q, and alone %q\n%s", test.program, test.scenario, stdout, alone, stderr)
			}
			if shared := strings.Contains(stderr, "processes share"); shared != (test.program == "shared") {
				t.Errorf("%s %s: it says %q", test.program, test.scenario, stderr)
			}
		}
	})
}
