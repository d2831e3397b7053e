package doctor

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func machines(n int) (all []*machine) {
	for range n {
		all = append(all, &machine{})
	}
	return all
}

// What is found of services, and nothing else.
func TestFindings(t *testing.T) {
	with := func(change func(*machine)) *machine {
		m := &machine{}
		change(m)
		return m
	}
	for name, c := range map[string]struct {
		fleet func(f *fleet)
		want  []string
	}{
		"one machine":        {func(f *fleet) { f.behind(1, &machine{}) }, nil},
		"ten of one key":     {func(f *fleet) { f.behind(1, machines(10)...) }, nil},
		"three addresses":    {func(f *fleet) { f.behind(1, &machine{}).behind(2, &machine{}).behind(3, &machine{}) }, nil},
		"forgets everything": {func(f *fleet) { f.behind(1, &machine{forgets: true}) }, []string{"not-resumed/cache", "not-resumed/keys"}},
		"two keys behind one address": {func(f *fleet) { f.behind(1, &machine{key: 1}, &machine{key: 2}) },
			[]string{"partly-resumed/keys", "partly-resumed/cache"}},
		"a key for each address": {func(f *fleet) { f.behind(1, &machine{key: 1}).behind(2, &machine{key: 2}) },
			[]string{"addresses-apart/keys", "addresses-apart/cache"}},
		"an address that nobody serves": {func(f *fleet) { f.behind(1, &machine{}).behind(2) }, []string{"unreachable"}},
		"no ticket on a resumption":     {func(f *fleet) { f.behind(1, &machine{spent: true}) }, []string{"no-ticket-on-resumption"}},
		"no ticket on a resumption, and each once": {func(f *fleet) { f.behind(1, &machine{spent: true, once: true}) },
			[]string{"no-ticket-on-resumption"}},
		"nothing is given":         {func(f *fleet) { f.behind(1, &machine{givesNone: true}) }, []string{"no-session"}},
		"tickets that are numbers": {func(f *fleet) { f.behind(1, &machine{stateful: true}) }, nil},
		"TLS 1.2 only":             {func(f *fleet) { f.behind(1, &machine{only12: true}) }, []string{"no-tls13"}},
		"early data":               {func(f *fleet) { f.behind(1, &machine{early: true}) }, []string{"replayable"}},
		"early data once":          {func(f *fleet) { f.behind(1, with(func(m *machine) { m.early, m.once = true, true })) }, []string{"early-data"}},
		"long-lived":               {func(f *fleet) { f.behind(1, &machine{hint: 48 * time.Hour}) }, []string{"long-lived"}},
		"names that cross":         {func(f *fleet) { f.behind(1, &machine{certificate: "of "}); f.crosses = true }, []string{"crosses-names"}},
		"names that cross where clients are verified": {func(f *fleet) {
			f.behind(1, &machine{certificate: "of ", verifies: true})
			f.crosses = true
		}, []string{"crosses-names"}},
		"names that do not cross":  {func(f *fleet) { f.behind(1, &machine{certificate: "of "}) }, nil},
		"names of one certificate": {func(f *fleet) { f.behind(1, &machine{}); f.crosses = true }, nil},
		"addresses that differ":    {func(f *fleet) { f.behind(1, &machine{hint: time.Hour}).behind(2, &machine{}) }, []string{"addresses-differ"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, 1)
			c.fleet(f)
			report, _ := f.examine(t, nil)
			got := report.codes()
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q: %+v", got, c.want, report.Findings)
			}
			for _, finding := range report.Findings {
				if verified := strings.Contains(name, "are verified"); finding.Code == "crosses-names" && (finding.Level == Fault) != verified {
					t.Errorf("%+v", finding)
				}
				if finding.What == "" || finding.Consequence == "" || len(finding.Cure) == 0 && finding.Code != "early-data" {
					t.Errorf("%+v lacks something", finding)
				}
			}
			if _, err := json.Marshal(report); err != nil {
				t.Error(err)
			}
		})
	}
}

// A server that dies meanwhile is left alone, and what was seen until then is said.
func TestDies(t *testing.T) {
	for _, dies := range []int{1, 10, 50} {
		f := newFleet(t, 1).behind(1, &machine{})
		f.dies = dies
		report, _ := f.examine(t, nil)
		if !slices.Contains(report.codes(), "failures") || report.Failed < failures || f.served > dies+20 ||
			slices.Contains(report.codes(), "no-session") {
			t.Errorf("%d: %q, %d failed, %d connections", dies, report.codes(), report.Failed, f.served)
		}
	}
	flaky := newFleet(t, 1).behind(1, &machine{})
	flaky.fails = 10
	if report, _ := flaky.examine(t, nil); report.Connections < 150 || report.Failed < 10 {
		t.Errorf("where one of ten fails it goes on: %d of %d failed", report.Failed, report.Connections)
	}
	f := newFleet(t, 1).behind(1)
	options := Options{Targets: []string{"www.example.org:443"}, Rate: 1e9}
	if report, _, err := examine(t.Context(), f.connect, f.resolve, options); err == nil || !strings.Contains(err.Error(), "192.0.2.1:443: nobody is there") {
		t.Errorf("%+v, %v", report, err)
	}
}

// More addresses than are looked at are spoken of, and not asked.
func TestManyAddresses(t *testing.T) {
	f := newFleet(t, 1)
	for n := range addressLimit + 5 {
		f.behind(n+1, &machine{})
	}
	report, _ := f.examine(t, nil)
	if len(report.Addresses) != addressLimit || report.LeftOut != 5 || !slices.Equal(report.codes(), []string{"left-out"}) {
		t.Errorf("%d, %d, %q", len(report.Addresses), report.LeftOut, report.codes())
	}
}

// One bad machine of ten is found in at least 99 of 100 runs: behind one address, or at ten, whatever it is that is bad.
func TestOneOfTen(t *testing.T) {
	const runs = 100
	for name, bad := range map[string]machine{"a key of its own": {key: 1}, "resumes nothing": {forgets: true}} {
		for _, addresses := range []int{1, 2, 10} {
			found := 0
			for seed := range uint64(runs) {
				f := newFleet(t, seed)
				all := append(machines(9), &bad)
				for n := range addresses {
					f.behind(n+1, all[n*10/addresses:(n+1)*10/addresses]...)
				}
				if report, _ := f.examine(t, nil); report.Faults() > 0 {
					found++
				}
			}
			if found < runs*99/100 {
				t.Errorf("%s, %d addresses: found in %d of %d runs", name, addresses, found, runs)
			}
		}
	}
}

// None of many tickets was taken, but two keys made all of them: then there are two who do not share, and none who forgets.
func TestNoneTaken(t *testing.T) {
	way := &Way{Name: "tls13", Spoken: true, Gives: givesTicket, Fulls: 40, Given: 40, Same: Tally{Visits: 30, Refused: 30}}
	r := &Report{Addresses: []*Address{{}}, Ways: []*Way{way}}
	if code := judgeWay(r, way).Code; code != "not-resumed/keys" {
		t.Error(code)
	}
	r.Keys.Keys = make([]Key, 2)
	if code := judgeWay(r, way).Code; code != "partly-resumed/keys" {
		t.Error(code)
	}
}

// To be resumed under one name does not use up what is offered under the next.
func TestCrossingsOfTicketsThatServeOnce(t *testing.T) {
	f := newFleet(t, 1).behind(1, &machine{certificate: "of ", once: true})
	f.crosses = true
	report, _ := f.examine(t, func(o *Options) { o.Names = []string{"a.test", "b.test", "c.test"} })
	if len(report.Crossings) != 3*2*4 {
		t.Errorf("%+v", report.Crossings)
	}
	for _, crossing := range report.Crossings {
		if !crossing.Resumed {
			t.Errorf("%+v", crossing)
		}
	}
}

// The address that stands alone is named.
func TestGroups(t *testing.T) {
	f := newFleet(t, 1)
	for n := range 10 {
		f.behind(n+1, &machine{})
	}
	f.behind(4, &machine{key: 1})
	report, _ := f.examine(t, nil)
	for _, way := range report.Ways {
		if len(way.Groups) != 2 || len(way.Groups[0]) != 9 || !slices.Equal(way.Groups[1], []string{"192.0.2.4:443"}) {
			t.Errorf("%s: %q", way.Name, way.Groups)
		}
	}
	if len(report.Keys.Keys) != 2 || !slices.Equal(report.Keys.Keys[1].Addresses, []string{"192.0.2.4:443"}) {
		t.Errorf("%+v", report.Keys)
	}
}

// As many connections as the answer needs, and no more.
func TestConnections(t *testing.T) {
	few, _ := newFleet(t, 1).behind(1, &machine{}).examine(t, nil)
	expect, err := ParseExpectation("resumed>=99")
	if err != nil {
		t.Fatal(err)
	}
	wants := func(o *Options) { o.Expect = []Expectation{expect} }
	many, _ := newFleet(t, 1).behind(1, &machine{}).examine(t, wants)
	none, _ := newFleet(t, 1).behind(1, &machine{forgets: true}).examine(t, wants)
	nothing, _ := newFleet(t, 1).behind(1, &machine{givesNone: true}).examine(t, wants)
	if few.Connections > 250 || many.Connections < 3*459 || many.Connections > 2500 || none.Connections > 250 || nothing.Connections > 80 {
		t.Errorf("%d, %d, %d, %d", few.Connections, many.Connections, none.Connections, nothing.Connections)
	}
	if !many.Expectations[0].Holds || none.Expectations[0].Holds {
		t.Errorf("%+v, %+v", many.Expectations, none.Expectations)
	}
}

// A run leaves what the next one compares with.
func TestSince(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record")
	if record, err := ReadRecord(path, "x"); record != nil || err != nil {
		t.Fatalf("%v, %v", record, err)
	}
	f := newFleet(t, 1).behind(1, &machine{hint: time.Hour})
	_, record := f.examine(t, nil)
	if err := record.Write(path); err != nil {
		t.Fatal(err)
	}
	again := func(age time.Duration) *Report {
		before, err := ReadRecord(path, "www.example.org:443")
		if err != nil {
			t.Fatal(err)
		}
		before.When = before.When.Add(-age)
		for n := range before.Keys {
			before.Keys[n].First = before.Keys[n].First.Add(-age)
		}
		for n := range before.Sessions {
			before.Sessions[n].Made = before.Sessions[n].Made.Add(-age)
		}
		report, _ := f.examine(t, func(o *Options) { o.Before = before })
		return report
	}
	if report := again(0); len(report.Findings) != 0 || report.Since.OldKeys != 1 || len(report.Since.Sessions) != 3 {
		t.Errorf("nothing has happened: %q, %+v", report.codes(), report.Since)
	}
	if report := again(8 * 24 * time.Hour); !slices.Contains(report.codes(), "old-key") {
		t.Errorf("an old key: %q", report.codes())
	}
	f.behind(1, &machine{key: 2, hint: time.Hour})
	if report := again(0); !slices.Equal(report.codes(), []string{"lost"}) || report.Since.NewKeys != 1 {
		t.Errorf("a restart: %q, %+v", report.codes(), report.Since)
	}
	if report := again(2 * time.Hour); len(report.Findings) != 0 {
		t.Errorf("a restart, and sessions that are over: %q", report.codes())
	}
	if _, err := ReadRecord(path, "other.example.org:443"); err == nil || !strings.Contains(err.Error(), "a record of") {
		t.Errorf("another target: %v", err)
	}
}
