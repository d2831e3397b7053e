package versions_test

import (
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// Is a host served whose default library context has no algorithms, and does it see the same certificate of a
// client in a resumed connection as without gosess? libssl decodes that in the default context.
func TestEmptyDefaultContext(t *testing.T) {
	const (
		anonymous = ": nobody asked for a certificate, verify result 0\n"
		known     = ": the certificate, verify result 0\n"
	)
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		if v.Name == "1.1.1" {
			return // has no library contexts
		}
		program := v.Compile(t, "tests/versions/programs/providers.c", v.Library(t))
		for _, tls := range []string{"--tls1.2", "--tls1.3"} {
			for _, cache := range []string{"", "memory:", "shm:?size=1m"} {
				environment, err := harness.Preload(cache)
				if err != nil {
					t.Fatal(err)
				}
				t.Run(strings.TrimSpace(tls[2:]+" "+cache)+" tickets", func(t *testing.T) {
					want := "full" + anonymous + "resumed" + anonymous + "resumed" + anonymous
					stdout, stderr := v.Run(t, append(environment, "GOSESS_TICKETS=shared"), program, tls, "tickets")
					if stdout != want || stderr != "" {
						t.Errorf("it says\n%snot\n%s%s", stdout, want, stderr)
					}
				})
				for _, name := range []string{"anonymous", "known", "anonymous-workers", "known-workers"} {
					t.Run(strings.TrimSpace(tls[2:]+" "+cache)+" "+name, func(t *testing.T) {
						says, processes := strings.CutSuffix(name, "-workers")
						line := map[string]string{"anonymous": anonymous, "known": known}[says]
						want := "full" + line + "resumed" + line + "resumed" + line + "2 hits\n"
						if processes {
							want = "full" + line + "full" + line
							// What cannot be given to another process as it was, is resumed by none.
							if strings.HasPrefix(cache, "shm:") && says == "anonymous" {
								want = "full" + line + "resumed" + line
							}
						}
						stdout, stderr := v.Run(t, environment, program, tls, name)
						if stdout != want || stderr != "" {
							t.Errorf("it says\n%snot\n%s%s", stdout, want, stderr)
						}
					})
				}
			}
		}
	})
}
