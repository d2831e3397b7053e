package harness_test

import (
	"testing"

	"gosess/tests/harness"
)

// Is what is wrong with one value of a state found, and not hidden behind another?
func TestStatesDifferInOneThing(t *testing.T) {
	type change struct{ from, to any }
	alone := map[change]bool{}
	var values [4]map[any]bool
	for i := range values {
		values[i] = map[any]bool{}
	}
	for _, from := range harness.States {
		for i, value := range of(from) {
			values[i][value] = true
		}
		for _, to := range harness.States {
			if differs := differences(of(from), of(to)); len(differs) == 1 {
				i := differs[0]
				alone[change{of(from)[i], of(to)[i]}] = true
			}
		}
	}
	for _, kind := range values {
		for from := range kind {
			for to := range kind {
				if from != to && !alone[change{from, to}] {
					t.Errorf("no two states differ in nothing but %v and %v", from, to)
				}
			}
		}
	}
}

// of is the values of a state. A certificate is shown to a client that takes it.
func of(s harness.State) [4]any {
	return [4]any{s.Name, string(s.Kind) + " " + s.Certificate, s.Policy, s.Port}
}

func differences(a, b [4]any) (at []int) {
	for i := range a {
		if a[i] != b[i] {
			at = append(at, i)
		}
	}
	return at
}

// What a full handshake would show and demand decides, and the name where both ask for one.
func TestMayResume(t *testing.T) {
	base := harness.States[0]
	for _, test := range []struct {
		what   string
		change func(*harness.State)
		want   bool
	}{
		{"nothing", func(*harness.State) {}, true},
		{"no name", func(s *harness.State) { s.Name = "" }, true},
		{"another name", func(s *harness.State) { s.Name = "other.test" }, false},
		{"the port", func(s *harness.State) { s.Port = 1 }, true},
		{"a renewed certificate", func(s *harness.State) { s.Certificate = harness.Renewed }, false},
		{"the certificate that others are shown", func(s *harness.State) { s.Certificate = harness.SecondRenewed }, true},
		{"the policy", func(s *harness.State) { s.Policy = harness.Stricter }, false},
	} {
		to := base
		test.change(&to)
		if got := harness.MayResume(base, to); got != test.want {
			t.Errorf("%s: %v", test.what, got)
		}
		if got := harness.MayResume(to, base); got != test.want {
			t.Errorf("%s, changed back: %v", test.what, got)
		}
	}
	rsa := base
	rsa.Kind = harness.RSA
	for certificate, want := range map[string]bool{harness.Renewed: true, harness.SecondRenewed: false} {
		to := rsa
		to.Certificate = certificate
		if got := harness.MayResume(rsa, to); got != want {
			t.Errorf("a client that takes RSA, %s: %v", certificate, got)
		}
	}
}
