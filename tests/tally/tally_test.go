package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

func TestTally(t *testing.T) {
	const start = `{"Action":"start","Package":"p"}` + "\n"
	tests := []struct {
		name, events, want string
		strict, good       bool
	}{
		{name: "nothing ran", events: "", want: "0 passed, 0 failed"},
		{name: "no test files", events: start + `{"Action":"skip","Package":"p"}`, want: "0 passed, 0 failed"},
		{name: "passed", good: true, want: "1 passed, 0 failed",
			events: start + `{"Action":"run","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"pass","Package":"p"}`},
		{name: "failed", want: "1 passed, 1 failed",
			events: start + `{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"B","Output":"because\n"}
{"Action":"fail","Package":"p","Test":"B"}
{"Action":"fail","Package":"p"}`},
		{name: "subtests count, not what holds them", want: "1 passed, 1 failed",
			events: start + `{"Action":"pass","Package":"p","Test":"A/x"}
{"Action":"fail","Package":"p","Test":"A/y"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`},
		{name: "what holds a failed one says more", want: "0 passed, 1 failed",
			events: start + `{"Action":"output","Package":"p","Test":"A","Output":"because\n"}
{"Action":"fail","Package":"p","Test":"A/y"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`},
		{name: "failed beside its subtests", want: "1 passed, 1 failed",
			events: start + `{"Action":"pass","Package":"p","Test":"A/x"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`},
		{name: "exit without a failed test", want: "1 passed, 1 failed",
			events: start + `{"Action":"pass","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`},
		{name: "build failure", want: "0 passed, 1 failed",
			events: `{"ImportPath":"p","Action":"build-output","Output":"because\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"fail","Package":"p","FailedBuild":"p"}`},
		{name: "killed", want: "1 passed, 1 failed",
			events: start + `{"Action":"pass","Package":"p","Test":"A"}
{"Action":"run","Package":"p","Test":"B"}`},
		{name: "skipped", good: true, want: "1 passed, 0 failed, 1 skipped",
			events: start + `{"Action":"pass","Package":"p","Test":"A"}
{"Action":"skip","Package":"p","Test":"B"}
{"Action":"pass","Package":"p"}`},
		{name: "why it is skipped", good: true, want: "1 passed, 0 failed, 1 skipped",
			events: start + `{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"B","Output":"    b_test.go:1: because\n"}
{"Action":"skip","Package":"p","Test":"B"}
{"Action":"pass","Package":"p"}`},
		{name: "skipped in CI", strict: true, want: "1 passed, 1 failed (1 of them skipped)",
			events: start + `{"Action":"pass","Package":"p","Test":"A"}
{"Action":"skip","Package":"p","Test":"B"}
{"Action":"pass","Package":"p"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			tally := newTally(&out, test.strict)
			if err := tally.reader("").read(strings.NewReader(test.events)); err != nil {
				t.Fatal(err)
			}
			if got := tally.String(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if tally.good() != test.good {
				t.Errorf("good is %v", tally.good())
			}
			if strings.Contains(test.events, "because") && !strings.Contains(out.String(), "because") {
				t.Errorf("the reason is missing in %q", out.String())
			}
		})
	}
}

// Runs that go on at once are counted together, and each is named where its packages end.
func TestRunsAtOnce(t *testing.T) {
	var out bytes.Buffer
	tally := newTally(&out, false)
	names := []string{" -race", " CGO_ENABLED=0"}
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			events := strings.Repeat(`{"Action":"pass","Package":"p","Test":"A"}
{"Action":"fail","Package":"p","Test":"B"}
{"Action":"fail","Package":"p"}
`, 100)
			if err := tally.reader(name).read(strings.NewReader(events)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := tally.String(); got != "200 passed, 200 failed" {
		t.Error(got)
	}
	for _, name := range names {
		if n := strings.Count(out.String(), "fail    p"+name+": 1 passed, 1 failed, 0 skipped"); n != 100 {
			t.Errorf("%d packages of %q have ended", n, name)
		}
	}
}

func TestTallyRefusesWhatIsNoEvent(t *testing.T) {
	if err := newTally(&bytes.Buffer{}, false).reader("").read(strings.NewReader("panic: out of luck\n")); err == nil {
		t.Error("no error")
	}
}

// A go test that cannot start says so in no event.
func TestRunCountsAFailureWithoutEvents(t *testing.T) {
	var out bytes.Buffer
	if err := run(newTally(&out, false), "-mod=nosuch ."); err == nil {
		t.Errorf("no error; it printed %q", out.String())
	}
}
