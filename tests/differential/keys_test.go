package differential_test

import (
	"strings"
	"testing"

	"gosess/tests/harness"
)

// Does a host that has keys of its own for its tickets see the same, call by call, whatever GOSESS_TICKETS says; and one that has
// given them up again?
func TestTicketKeys(t *testing.T) {
	path := compile(t, "keys")
	for _, version := range versions {
		want, stderr, err := harness.Execute(nil, path, "--tls"+version)
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		for _, cache := range []string{"memory:", "shm:?size=2m"} {
			for _, tickets := range []string{"keep", "shared"} {
				t.Run(version+" "+cache+" "+tickets, func(t *testing.T) {
					env, err := harness.Preload(cache)
					if err != nil {
						t.Fatal(err)
					}
					got, stderr, err := harness.Execute(append(env, "GOSESS_TICKETS="+tickets), path, "--tls"+version)
					if err != nil || stderr != "" {
						t.Fatalf("%v\n%s", err, stderr)
					}
					if got != want {
						t.Error(difference(want, got))
					}
				})
			}
		}
	}
}

// Of two callbacks libssl calls that of 3.0. A host whose callback forgets that TLS 1.3 uses each ticket once is helped where that is the one
// which is called, and no other host; whichever was set last.
func TestForgettingCallbackOfTwo(t *testing.T) {
	path := compile(t, "forgets")
	library, err := harness.Library()
	if err != nil {
		t.Fatal(err)
	}
	arguments := append([]string{"-shared", "-fPIC", "tests/differential/programs/forgets.c"}, library...)
	forgetful := workshop.Compile(t, "mod_ssl.so", "cc", append(arguments, "-lssl", "-lcrypto")...)
	alone, stderr, err := harness.Execute(nil, path, forgetful)
	if err != nil || strings.Count(alone, "followed") != 4 || strings.Count(alone, "the last one") != 16 {
		t.Fatalf("%v\n%s%s", err, alone, stderr)
	}
	var want strings.Builder
	of := "" // whose is mod_ssl's
	for line := range strings.Lines(alone) {
		if strings.HasPrefix(line, "mod_ssl") {
			of = line
		}
		ofNew, called := strings.Contains(of, "3.0"), !strings.Contains(line, "without")
		if ofNew == called {
			line = strings.Replace(line, "the last one", "followed", 1)
		}
		want.WriteString(line)
	}
	for _, tickets := range []string{"keep", "shared"} {
		env, err := harness.Preload("shm:?size=1m")
		if err != nil {
			t.Fatal(err)
		}
		got, stderr, err := harness.Execute(append(env, "GOSESS_TICKETS="+tickets), path, forgetful)
		if err != nil || got != want.String() {
			t.Errorf("%s: %v\n%s\n%s", tickets, err, difference(want.String(), got), stderr)
		}
	}
}
