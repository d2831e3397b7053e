package main

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// What other people's quick tests see is what they see without gosess, but for what is meant.
func TestQuick(t *testing.T) {
	harness.NeedBuild(t)
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	meant, err := readMeant("meant.txt")
	if err != nil {
		t.Fatal(err)
	}
	ways := harness.Few(1, ways)
	for _, s := range suites {
		if !s.quick {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			runs, err := s.run(t.Context(), root, ways, meant)
			if errors.Is(err, errUnavailable) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range ways {
				t.Run(w.name, func(t *testing.T) {
					v := compare(runs[baseline.name], runs[w.name], s.name, w.name, meant)
					for _, line := range v.wrong {
						t.Error(line)
					}
				})
			}
		})
	}
}

func TestReadTAP(t *testing.T) {
	const output = `1..3
    # Subtest: inner
    1..2
    ok 1 - one
    not ok 2 - two
    # why
not ok 1 - inner
ok # with port 127.0.0.1:43210
ok # with port 127.0.0.1:43211
not ok # with port 127.0.0.1:43212
ok 2 - asked # SKIP no such thing
not ok 3 - later # TODO
nonsense
    ok 1 - three
`
	want := results{"inner/one": "ok", "inner/two": "not ok", "# with port 127.0.0.1:N": "not ok, 2 ok", "asked": "skipped",
		"later": "todo", "unfinished/three": "ok"}
	if got := readTAP(output); !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := readTAP("1..0 # SKIP no Test::Pod\n"); !maps.Equal(got, results{"all": "skipped"}) {
		t.Errorf("%q", got)
	}
}

func TestReadRuby(t *testing.T) {
	const output = `[1/3] OpenSSL::TestSSL#test_a = 0.02 s
[2/3] OpenSSL::TestSSL#test_b = 0.12 s
  1) Failure:
OpenSSL::TestSSL#test_b [/x/test_ssl.rb:12]:
[3/3] OpenSSL::TestSSL#test_c = 0.00 s
  2) Skipped:
OpenSSL::TestSSL#test_c [/x/test_ssl.rb:22]:
`
	want := results{"OpenSSL::TestSSL#test_a": "ok", "OpenSSL::TestSSL#test_b": "not ok", "OpenSSL::TestSSL#test_c": "skipped"}
	if got := readRuby(output); !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A program's end is told by its cases, unless it ended otherwise than they say.
func TestEnd(t *testing.T) {
	good, bad := results{"a": "ok"}, results{"a": "ok", "b": "2 not ok"}
	for _, test := range []struct {
		cases    results
		err, end string
	}{{good, "", "ok"}, {good, "exit status 1", "exit status 1"}, {bad, "exit status 1", "ok"},
		{bad, "signal: segmentation fault", "signal: segmentation fault"}} {
		var err error
		if test.err != "" {
			err = errors.New(test.err)
		}
		if got := test.cases.end(err); got != test.end {
			t.Errorf("%v: %s, not %s", test, got, test.end)
		}
	}
}

func TestCompare(t *testing.T) {
	without := results{"same": "ok", "meant": "ok", "worse": "ok", "missing": "ok", "mended": "ok"}
	with := results{"same": "ok", "meant": "not ok", "worse": "not ok", "more": "ok", "mended": "ok"}
	meant := map[difference]bool{
		{"s", "shm", "meant"}: true, {"s", "shm", "mended"}: true, {"s", "shm", "gone"}: true,
		{"s", "memory", "worse"}: true, {"other", "shm", "worse"}: true,
	}
	v := compare(without, with, "s", "shm", meant)
	wrong := strings.Join(v.wrong, "\n")
	if v.cases != 7 || v.same != 1 || v.meant != 1 || len(v.wrong) != 5 {
		t.Errorf("%+v", v)
	}
	for _, line := range []string{"worse: not ok, without gosess ok", "missing: no such case", "more: ok, without gosess no such case",
		"mended: meant.txt says", "gone: meant.txt says"} {
		if !strings.Contains(wrong, line) {
			t.Errorf("%q is not in\n%s", line, wrong)
		}
	}
}

func TestReadMeant(t *testing.T) {
	for text, good := range map[string]bool{
		"# a comment\n\nmemory,shm | ruby | a case | a reason\n": true,
		"memory | ruby | a case\n":                               false,
		"memory | ruby | a case | \n":                            false,
		"elsewhere | ruby | a case | a reason\n":                 false,
		"memory | cobol | a case | a reason\n":                   false,
		"memory | ruby | a | why\nshm,memory | ruby | a | why\n": false,
	} {
		path := filepath.Join(t.TempDir(), "meant.txt")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if meant, err := readMeant(path); (err == nil) != good || good && len(meant) != 2 {
			t.Errorf("%q: %v %v", text, meant, err)
		}
	}
}

func TestDiffers(t *testing.T) {
	of := difference{"s", "shm", "p"}
	meant := map[difference]bool{{"s", "shm", "p/b"}: true, {"s", "memory", "p/a"}: true}
	without := results{"a": "ok", "b": "ok", "end": "ok"}
	for _, test := range []struct {
		without, with results
		differs       bool
	}{
		{without, without, false},
		{without, results{"a": "ok", "b": "not ok", "end": "ok"}, false},
		{without, results{"a": "not ok", "b": "ok", "end": "ok"}, true},
		{without, results{"b": "ok", "end": "ok"}, true},
		{results{"end": "ok"}, results{"end": "ok"}, true},
	} {
		if differs(round{baseline.name: test.without, "shm": test.with}, of, meant) != test.differs {
			t.Errorf("%v", test)
		}
	}
}

// A program that differs at first and not when it runs again, alone, differs in nothing.
func TestRepeat(t *testing.T) {
	harness.NeedBuild(t)
	p := program{name: "p", arguments: []string{"sh", "-c", `echo ok - once; [ -z "$LD_PRELOAD" ] || [ -e again ] || { echo ok - more; touch again; }`},
		dir: t.TempDir(), read: readTAP}
	r := round{}
	var err error
	for _, w := range append([]way{baseline}, ways...) {
		if r[w.name], err = p.run(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if !differs(r, difference{"s", ways[0].name, "p"}, nil) {
		t.Fatalf("%v", r)
	}
	if err := (suite{name: "s"}).repeat(t.Context(), p, r, ways, nil); err != nil || differs(r, difference{"s", ways[0].name, "p"}, nil) {
		t.Errorf("%v %v", r, err)
	}
}
