package versions

import (
	"os"
	"regexp"
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

// Valkey is Trixie's Valkey, for the agent.
func Valkey(t testing.TB) harness.System {
	t.Helper()
	return system(t, "valkey", "trixie", "valkey-server")
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

// Own is a directory with packages of this system's own release, which are unpacked there since they cannot be installed beside
// each other. Without a network, and nothing from an earlier run, it skips the test.
func Own(t testing.TB, name string, packages ...string) string {
	t.Helper()
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Skip(err)
	}
	codename := regexp.MustCompile(`(?m)^VERSION_CODENAME=(\w+)$`).FindSubmatch(release)
	if codename == nil {
		t.Skip("this system's release has no name")
	}
	return fetch(t, name, string(codename[1]), packages...)
}
