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
	return system(t, "servers-trixie", "trixie", "nginx", "libnginx-mod-stream", "libnginx-mod-mail", "haproxy", "util-linux")
}

// Node is this release with its Node.js, which uses the system's libssl: what others install has one of its own.
func Node(t testing.TB) harness.System {
	t.Helper()
	return system(t, "node", "bookworm", "nodejs")
}

func system(t testing.TB, name, suite string, packages ...string) harness.System {
	t.Helper()
	harness.NeedBuild(t)
	system := harness.System{Root: fetch(t, name, suite, append([]string{"--root"}, packages...)...)}
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
