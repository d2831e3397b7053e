package doctor_test

import (
	"os/exec"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// What a person sees, what a script sees, and what time tells.
func TestCommand(t *testing.T) {
	t.Parallel()
	n, err := harness.NewNginx(harness.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	n.SessionCache = "shared:all:1m"
	n.Tickets = true
	short := service(t, n, "ssl_session_timeout 1s;")
	off := service(t, n, "ssl_session_tickets off; ssl_session_cache off;")
	started(t, n)
	gosess, err := harness.Built("gosess")
	if err != nil {
		t.Fatal(err)
	}
	run := func(arguments ...string) (text string, status int) {
		t.Helper()
		cmd := exec.Command(gosess, append([]string{"doctor", "--rate", "1000"}, arguments...)...)
		output, _ := cmd.CombinedOutput() // its status says what it found
		return string(output), cmd.ProcessState.ExitCode()
	}
	good := at(n.Port())[0]
	// Of sessions that last for a second some may be over before they are offered.
	for _, c := range []struct {
		arguments []string
		status    int
		want      []string
	}{
		{[]string{good}, 0, []string{good + `: nginx ("nginx/1.`, "TLS 1.3 ", "45 of 45 resumed", "at least 90.3 %", "1 ticket key:", "Nothing is wrong."}},
		{at(off), 1, []string{"nothing is given to come again with", "FAULT  TLS 1.2, clients without tickets and TLS 1.2: the server gives nothing",
			"To change it, in nginx:", "ssl_session_cache shared:tls:10m;", "faults found: "}},
		{[]string{good, "--expect", "resumed>=99", "--expect", "replayable=no", "--expect", "keys=1"}, 0, []string{"holds   resumed>=99: 100"}},
		{[]string{good, "--expect", "lifetime>=1h"}, 1, []string{"MISSED  lifetime>=1h: 300", "1 of 1 expectations missed"}},
		{[]string{at(off)[0], "--expect", "keys<=1"}, 1, []string{"MISSED  keys<=1: not known"}},
		{[]string{at(off)[0], "--expect", "early-data=no"}, 0, []string{"holds   early-data=no: no"}},
		{[]string{at(short)[0], "--for", "5s", "--expect", "lifetime=1"}, 0, []string{"tls12-id: resumed at an age of ", ", refused at "}},
	} {
		text, status := run(c.arguments...)
		if status != c.status {
			t.Errorf("%q: status %d:\n%s", c.arguments, status, text)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q: no %q:\n%s", c.arguments, want, text)
			}
		}
	}
}
