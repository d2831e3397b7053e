package versions_test

import (
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// Is a host as well off as without gosess where its libcrypto 1.1.1 is in FIPS mode, and ends who calls digests directly?
func TestFIPSMode(t *testing.T) {
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		if v.Name != "1.1.1" {
			return // has no such mode
		}
		mode := filepath.Join(t.TempDir(), "fipsmode.so")
		if err := harness.SharedObject(mode, "tests/versions/testdata/fipsmode.c"); err != nil {
			t.Fatal(err)
		}
		program := v.Compile(t, "tests/c/programs/tickets.c", v.Library(t))
		for _, tickets := range []string{"keep", "shared"} {
			environment, err := harness.Preload("shm:?size=1m")
			if err != nil {
				t.Fatal(err)
			}
			environment[0] += ":" + mode
			stdout, stderr := v.Run(t, append(environment, "GOSESS_TICKETS="+tickets), program, "--tls1.2", "no-timeout")
			if !strings.Contains(stdout, "at its own: resumed") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "FIPS mode") {
				t.Errorf("%s: %s%s", tickets, stdout, stderr)
			}
		}
	})
}
