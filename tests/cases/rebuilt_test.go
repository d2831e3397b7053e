package cases_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// Is a session that one program accepted a client with refused by another build of it, in which the
// callback that verifies clients lies at the same place? The program has the name of one whose callback
// is known to judge by nothing; with another name its sessions end with its process.
func TestRebuilt(t *testing.T) {
	versions.Few(t, func(t *testing.T, v versions.Installed) {
		if v.Name == "3.5" {
			return // a dynamic loader of its own runs it, and the kernel tells that one's name as the program's
		}
		library := v.Library(t)
		authority, err := harness.NewAuthority(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := authority.Issue("first.test")
		if err != nil {
			t.Fatal(err)
		}
		var builds [2]string
		for i, build := range []string{"-DBUILD=1", "-DBUILD=2"} {
			program := v.Compile(t, harness.ProgramFile("cases", "rebuilt"), library, build, "-Wl,--build-id=sha1")
			builds[i] = filepath.Join(filepath.Dir(program), "nginx")
			if err := os.Rename(program, builds[i]); err != nil {
				t.Fatal(err)
			}
		}
		other := filepath.Join(filepath.Dir(builds[0]), "other")
		if err := os.Link(builds[0], other); err != nil {
			t.Fatal(err)
		}
		if first, second := placeOf(t, builds[0]), placeOf(t, builds[1]); first != second {
			t.Fatalf("the callback lies at %#x and %#x", first, second)
		}
		for _, version := range []string{"1.2", "1.3"} {
			t.Run("tls"+version, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				environment := append(environment(t, "shm:"+filepath.Join(dir, "store")+"?size=1m"),
					"CERTIFICATE="+certificate.Cert, "KEY="+certificate.Key, "SESSION="+filepath.Join(dir, "session"))
				for _, step := range []struct {
					program, scenario, want string
				}{
					{builds[0], "make", "full\n"},
					{builds[0], "offer", "resumed\n"},
					{builds[1], "offer", "full\n"},
					{builds[1], "make", "full\n"},
					{builds[1], "offer", "resumed\n"},
					{builds[0], "offer", "full\n"},
					{other, "make", "full\n"},
					{other, "offer", "full\n"},
				} {
					stdout, stderr := v.Run(t, environment, step.program, "--tls"+version, step.scenario)
					if stdout != step.want || stderr != "" {
						t.Errorf("%s, %s: %q, not %q; it says %q", step.program, step.scenario, stdout, step.want, stderr)
					}
				}
			})
		}
	})
}

// placeOf is where a build has its callback.
func placeOf(t *testing.T, program string) uint64 {
	t.Helper()
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, symbol := range symbols {
		if symbol.Name == "verify_client" {
			return symbol.Value
		}
	}
	t.Fatal("no callback in ", program)
	return 0
}
