package versions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// Are tickets and sessions shared where all that libssl uses comes from the FIPS module?
func TestFIPSModule(t *testing.T) {
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		if v.Name != "3.5" {
			return // the others' packages have none
		}
		module, dir := v.File(t, "usr/lib/*/ossl-modules/fips.so"), t.TempDir()
		checked, config := filepath.Join(dir, "fips.cnf"), filepath.Join(dir, "openssl.cnf")
		v.Run(t, nil, v.OpenSSL(t), "fipsinstall", "-quiet", "-module", module, "-out", checked)
		text := "config_diagnostics = 1\nopenssl_conf = all\n.include " + checked + "\n[all]\nproviders = some\nalg_section = only\n" +
			"[some]\nfips = fips_sect\nbase = base\n[base]\nactivate = 1\n[only]\ndefault_properties = fips=yes\n"
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		programs := map[string]string{
			"no-timeout": v.Compile(t, "tests/c/programs/lasting.c", v.Library(t)),
			"renewed":    v.Compile(t, "tests/c/programs/tickets.c", v.Library(t)),
		}
		environment, err := harness.Preload("shm:?size=1m")
		if err != nil {
			t.Fatal(err)
		}
		environment = append(environment, "GOSESS_TICKETS=shared", "OPENSSL_CONF="+config, "OPENSSL_MODULES="+filepath.Dir(module))
		for _, tls := range []string{"--tls1.2", "--tls1.3"} {
			for scenario, want := range map[string]string{"no-timeout": "just before: resumed, at its own: resumed\n", "renewed": "full\nfull\nfull\nresumed\n"} {
				stdout, stderr := v.Run(t, environment, programs[scenario], tls, scenario)
				if stdout != want || stderr != "" {
					t.Errorf("%s: %s%s", tls, stdout, stderr)
				}
			}
		}
	})
}

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
		program := v.Compile(t, "tests/c/programs/lasting.c", v.Library(t))
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
