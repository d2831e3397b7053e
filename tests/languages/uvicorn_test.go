package languages_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"gosess/tests/harness"
)

// startUvicorn starts one with two workers.
func startUvicorn(t *testing.T, pem string, env []string) *process {
	t.Helper()
	return startCommand(t, env, func(port string) *exec.Cmd {
		return exec.Command("uvicorn", "--app-dir", "testdata", "--port", port, "--workers", "2", "--ssl-keyfile", pem, "--ssl-certfile", pem,
			"--log-level", "critical", "app:app")
	})
}

// uvicorn's workers resume each other's sessions, and those from before a restart.
func TestUvicorn(t *testing.T) {
	harness.NeedBuild(t)
	dir := harness.TempDir(t)
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	env, err := harness.PageEnvironment("uvicorn", dir)
	if err != nil {
		t.Fatal(err)
	}
	gains(t, dir, func() *process { return startUvicorn(t, pem, env) })
}

// gains wants all sessions resumed, by the process that made them, those beside it, and the next one.
func gains(t *testing.T, dir string, start func() *process) {
	t.Helper()
	pool := func(i int) string { return filepath.Join(dir, "sessions"+string(rune('0'+i))) }
	resumes := func(p *process, client harness.Client, arguments ...string) {
		t.Helper()
		arguments = append(append(arguments, "--tls", client.Version), client.Arguments...)
		if r := p.load(arguments...); r.Resumed != r.Attempts {
			t.Errorf("%s: %v: resumed %d of %d", client.Name, arguments, r.Resumed, r.Attempts)
		}
	}
	one := start()
	for i, client := range harness.Clients {
		resumes(one, client, "--sessions", "10", "--attempts", "20", "--save", pool(i))
	}
	one.end()
	two := start()
	for i, client := range harness.Clients {
		resumes(two, client, "--load", pool(i), "--attempts", "10")
	}
	two.end()
}
