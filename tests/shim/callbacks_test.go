package shim_test

import (
	"strings"
	"testing"
)

func difference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return "first difference: " + left[i] + " | " + right[i]
		}
	}
	return "one is longer"
}

// Does a host read back what it has set while gosess serves it, and resume all that it would without?
func TestServedHostSeesItsOwnSettings(t *testing.T) {
	for _, version := range versions {
		without := plain(t, "transparent", version).run(t)
		h := served(t, "transparent", version)
		h.second = true // it switches caches off, too
		with := h.run(t)
		if a, b := only(without.out, "host"), only(with.out, "host"); a != b || a == "" {
			t.Errorf("%s: %s", version, difference(a, b))
		}
		if a, b := only(without.out, "errors left"), only(with.out, "errors left"); a != b || a == "" {
			t.Errorf("%s: %s", version, difference(a, b))
		}
		left, right := strings.Split(without.out, "\n"), strings.Split(with.out, "\n")
		more := 0
		for i := range left {
			wasResumed, isResumed := strings.HasPrefix(left[i], "resumed"), strings.HasPrefix(right[i], "resumed")
			if wasResumed && !isResumed {
				t.Errorf("%s: line %d: was %q, is %q", version, i+1, left[i], right[i])
			}
			if isResumed && !wasResumed {
				more++
			}
		}
		if more == 0 {
			t.Errorf("%s: gosess resumed nothing of its own", version)
		}
		with.logs(t)
	}
}

// In which order do the host's callbacks and gosess's sessions come, and whose answer counts?
func TestChaining(t *testing.T) {
	for _, test := range []struct {
		scenario string
		v12, v13 []string // what it prints; nil is the same as v12
		second   bool     // with tier=second
	}{
		{"ours-first", []string{"full: new", "resumed: -"}, []string{"full: new new", "resumed: new"}, false},
		{"theirs-first", []string{"full: new", "resumed: get(hit)"}, []string{"full: new new", "resumed: get(hit) new"}, false},
		// NULL of a host that gosess does not know may mean no, so it has the last word.
		{"theirs-misses", []string{"full: new", "full: get new"}, []string{"full: new new", "full: get new new"}, false},
		{"off", []string{"full: -", "full: -"}, []string{"full: -", "full: get"}, false},
		{"switched-off", []string{"off: full", "on: resumed"}, nil, false},
		{"client-mode", []string{"full: -", "full: -"}, []string{"full: -", "full: get"}, false},
		{"both", []string{"full: new", "resumed: -"}, []string{"full: new new", "resumed: new"}, false},
		{
			"mode-changes",
			[]string{"full: -", "full: -", "full: new", "resumed: -", "full: -", "full: -"},
			[]string{"full: -", "full: get", "full: new new", "resumed: new", "full: -", "full: get"},
			false,
		},
		{
			"two-contexts",
			[]string{"full: new", "resumed: -", "full: other-new", "resumed: -", "getters 1 1 1"},
			[]string{"full: new new", "resumed: new", "full: other-new other-new", "resumed: other-new", "getters 1 1 1"},
			false,
		},
		{"own-client", []string{"full: new new", "resumed: -"}, []string{"full: new new new new", "resumed: new new"}, false},
		{
			"general-client",
			[]string{"full: new, 1 inside", "resumed: -, 1 inside", "freed: remove"},
			[]string{"full: new new, 2 inside", "resumed: remove new, 2 inside", "freed: remove remove"},
			false,
		},
		{
			"rewriting-host",
			[]string{"full: strip", "resumed: unstrip", "full: strip", "resumed: -"},
			[]string{"full: strip", "resumed: unstrip strip", "full: strip", "resumed: strip"},
			true,
		},
	} {
		t.Run(test.scenario, func(t *testing.T) {
			v13 := test.v13
			if v13 == nil {
				v13 = test.v12
			}
			h := served(t, "chained", "--tls1.2", test.scenario)
			h.second = test.second
			h.run(t).wants(t, test.v12...)
			h.arguments[0] = "--tls1.3"
			h.run(t).wants(t, v13...)
		})
	}
	t.Run("theirs-misses tier=second", func(t *testing.T) {
		h := served(t, "chained", "--tls1.2", "theirs-misses")
		h.second = true
		h.run(t).wants(t, "full: new", "resumed: get")
		h.arguments[0] = "--tls1.3"
		h.run(t).wants(t, "full: new new", "resumed: get new")
	})
	t.Run("switched-off tier=second", func(t *testing.T) {
		for _, version := range []string{"--tls1.2", "--tls1.3"} {
			h := served(t, "kept", version, "switched-off")
			h.second = true
			h.run(t).wants(t, "resumed")
		}
	})
}

// Does a host that uses libssl's own cache by hand find it in gosess?
func TestHostsOwnCalls(t *testing.T) {
	for _, test := range []struct {
		program, scenario, wanted string
	}{
		{"chained", "added-by-host", "added 1|resumed"},
		{"chained", "removed-by-host", "removed 1|it: full|another: resumed"},
		{"chained", "flushed-by-host", "full"},
		// libssl's anti-replay wants its own cache (L26).
		{"protocol", "early-data", "resumed, sent 1, early data taken|full, sent 1, early data refused"},
		{
			"protocol", "early-data-cleared",
			"resumed|resumed, sent 1, early data taken|full, sent 1, early data refused",
		},
		{
			"protocol", "early-data-cleared-own",
			"resumed|resumed, sent 1, early data taken|full, sent 1, early data refused|new new get(hit) get",
		},
	} {
		wanted := strings.Split(test.wanted, "|")
		plain(t, test.program, "--tls1.3", test.scenario).run(t).wants(t, wanted...)
		served(t, test.program, "--tls1.3", test.scenario).run(t).wants(t, wanted...)
	}
}
