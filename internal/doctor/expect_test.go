package doctor

import (
	"slices"
	"testing"
	"time"
)

// Each fact that can be expected is what a service does, holds where it does and is missed where it does otherwise; what was not
// found out never holds.
func TestFacts(t *testing.T) {
	alike := func(m machine) func(*fleet) { return func(f *fleet) { f.behind(1, &m) } }
	both := func(f *fleet) { f.behind(1, &machine{key: 1}, &machine{key: 2}) }
	of := func(crosses bool) func(*fleet) {
		return func(f *fleet) { f.behind(1, &machine{certificate: "of "}); f.crosses = crosses }
	}
	var asked []string
	for _, c := range []struct {
		service func(*fleet)
		holds   []string
		missed  []string
	}{
		{alike(machine{}), []string{"resumed=100", "resumed>=99", "tls12-id=100", "tls12-ticket=100", "tls13>99", "keys=1", "keys<2", "addresses=1",
			"faults=0", "renewed=yes", "twice=yes", "early-data=no", "replayable=no", "crosses-names=no", "default-key=no"},
			[]string{"resumed<100", "keys>1", "addresses=2", "faults>0", "renewed=no", "twice=no", "early-data=yes", "replayable=yes",
				"crosses-names=yes", "default-key=yes", "lifetime>0", "key-age>=0"}}, // nothing is said of a lifetime, and there is no run before
		{alike(machine{forgets: true}), []string{"resumed=0", "tls13=0", "faults>0"}, []string{"resumed>0", "tls12-id>0", "renewed=no", "faults=0"}},
		{alike(machine{givesNone: true}), []string{"resumed=0"}, []string{"resumed>0", "keys>=0", "twice=no"}},
		{alike(machine{only12: true}), []string{"resumed=100"}, []string{"tls13>=0", "renewed=yes", "twice=no"}},
		{alike(machine{spent: true, once: true}), []string{"renewed=no", "twice=no"}, []string{"renewed=yes", "twice=yes"}},
		{alike(machine{early: true}), []string{"early-data=yes", "replayable=yes"}, []string{"replayable=no"}},
		{alike(machine{hint: time.Hour}), []string{"lifetime=1h", "lifetime>=3600", "lifetime<2h"}, []string{"lifetime>1h"}},
		{both, []string{"keys=2", "faults>=1"}, []string{"resumed>=99", "keys=1"}},
		{of(true), []string{"crosses-names=yes"}, []string{"crosses-names=no"}},
		{of(false), []string{"crosses-names=no"}, []string{"crosses-names=yes"}},
	} {
		var expect []Expectation
		for _, text := range slices.Concat(c.holds, c.missed) {
			expectation, err := ParseExpectation(text)
			if err != nil {
				t.Fatal(err)
			}
			expect = append(expect, expectation)
			asked = append(asked, expectation.fact.name)
		}
		f := newFleet(t, 1)
		c.service(f)
		report, _ := f.examine(t, func(o *Options) { o.Expect = expect })
		for n, judged := range report.Expectations {
			if want := n < len(c.holds); judged.Holds != want {
				t.Errorf("%s: %v, found %s", judged.Expectation, judged.Holds, judged.Found)
			}
		}
	}
	for _, name := range FactNames() {
		if !slices.Contains(asked, name) {
			t.Errorf("nobody asks for %s", name)
		}
	}
}

// The age of a key is known by the run before.
func TestKeyAge(t *testing.T) {
	f := newFleet(t, 1).behind(1, &machine{hint: time.Hour})
	_, record := f.examine(t, nil)
	for n := range record.Keys {
		record.Keys[n].First = record.Keys[n].First.Add(-2 * time.Hour)
	}
	for text, want := range map[string]bool{"key-age>=2h": true, "key-age<1h": false} {
		expectation, err := ParseExpectation(text)
		if err != nil {
			t.Fatal(err)
		}
		report, _ := f.examine(t, func(o *Options) { o.Before, o.Expect = record, []Expectation{expectation} })
		if judged := report.Expectations[0]; judged.Holds != want {
			t.Errorf("%+v", judged)
		}
	}
}
