package versions

import (
	"testing"

	"gosess/tests/harness"
)

// Trixie is the Debian release after bookworm, with its nginx, HAProxy and libssl 3.5, and with
// gosess as it was built here. Without root's rights, or a network and nothing from an earlier
// run, it skips the test.
func Trixie(t testing.TB) harness.System {
	t.Helper()
	harness.NeedBuild(t)
	root := fetch(t, "servers-trixie", "trixie", "--root",
		"nginx", "libnginx-mod-stream", "libnginx-mod-mail", "haproxy", "util-linux")
	system := harness.System{Root: root}
	for _, name := range []string{"libgosess.so", "libgosess-core.so"} {
		path, err := harness.Built(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := system.Put(path); err != nil {
			t.Fatal(err)
		}
	}
	return system
}
