package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/capi/settings"
)

// Each command explains itself with an example, the same way however it is asked, and the manual has all of it.
func TestHelp(t *testing.T) {
	page, err := os.ReadFile("../../man/gosess.1")
	if err != nil {
		t.Fatal(err)
	}
	manual := strings.ReplaceAll(string(page), `\-`, "-")
	overview := gosess(t, home, nil, "help")
	for _, args := range [][]string{{"--help"}, {"-h"}} {
		if r := gosess(t, home, nil, args...); r != overview || r.status != 0 || r.stderr != "" {
			t.Errorf("%q: %+v", args, r)
		}
	}
	group := gosess(t, home, nil, "keys", "--help")
	for _, r := range []result{overview, group} {
		if _, examples, _ := strings.Cut(r.stdout, "\nexamples:\n"); r.status != 0 || strings.Count(examples, "\n  gosess ") < 3 {
			t.Errorf("no examples: %+v", r)
		}
	}
	for _, c := range table {
		if c.hidden {
			if strings.Contains(overview.stdout, c.name) {
				t.Errorf("help shows %s", c.name)
			}
			continue
		}
		if !strings.Contains(overview.stdout, "  "+synopsis(&c)+"\n        "+c.short+"\n") {
			t.Errorf("help lacks %s:\n%s", c.name, overview.stdout)
		}
		words := strings.Fields(c.name)
		r := gosess(t, home, nil, append(words, "--help")...)
		if r.status != 0 || r.stderr != "" || !strings.HasPrefix(r.stdout, "usage: "+synopsis(&c)+"\n") {
			t.Errorf("%s --help: %+v", c.name, r)
		}
		if other := gosess(t, home, nil, append([]string{"help"}, words...)...); other != r {
			t.Errorf("help %s: %+v", c.name, other)
		}
		if len(c.examples) == 0 {
			t.Errorf("%s has no example", c.name)
		}
		for _, e := range c.examples {
			if !strings.Contains(r.stdout, "\n  "+e.line+"\n") || !strings.Contains(e.line, "gosess "+c.name) &&
				!strings.Contains(e.line, "gosess --"+c.name) {
				t.Errorf("%s: example %q", c.name, e.line)
			}
		}
		if !strings.Contains(manual, "\n.It Cm "+c.name+"\n") {
			t.Errorf("gosess(1) does not describe %s", c.name)
		}
		for _, o := range optionsOf(&c) {
			if !strings.Contains(r.stdout, "\n  "+o.name+"\n        "+o.usage+"\n") || o.usage == "" || o.usage[0] == ':' {
				t.Errorf("%s --help lacks %s, or does not begin with a word: %q", c.name, o.name, o.usage)
			}
			if !strings.Contains(synopsisIn(manual, c.name), "Fl -"+o.flag+"\n") &&
				!strings.Contains(synopsisIn(manual, c.name), "Fl -"+o.flag+" ") {
				t.Errorf("the synopsis of gosess(1) lacks %s --%s", c.name, o.flag)
			}
		}
	}
}

// synopsisIn is what stands in the SYNOPSIS of a manual page of a command.
func synopsisIn(manual, name string) string {
	_, rest, _ := strings.Cut(manual, "\n.Cm "+name+"\n")
	text, _, _ := strings.Cut(rest, ".Nm\n")
	text, _, _ = strings.Cut(text, ".Sh ")
	return text + "\n"
}

// Options may stand behind operands, but not behind the program that run starts, nor behind "--".
func TestOptionsBehind(t *testing.T) {
	first := gosess(t, home, nil, "check", "--json", "shm:?size=1m")
	behind := gosess(t, home, nil, "check", "shm:?size=1m", "--json")
	if first != behind || !strings.HasPrefix(first.stdout, "{\n") {
		t.Errorf("%+v, %+v", first, behind)
	}
	if r := gosess(t, home, nil, "check", "--", "shm:", "--json"); r.status != 2 || !strings.Contains(r.stderr, "one URL") {
		t.Errorf("%+v", r)
	}
	if r := gosess(t, home, nil, "run", "echo", "--json"); r.status != 0 || r.stdout != "--json\n" {
		t.Errorf("%+v", r)
	}
}

func TestVersion(t *testing.T) {
	line := "gosess " + settings.Version + "\n"
	if r := gosess(t, home, nil, "--version"); r.status != 0 || r.stdout != line {
		t.Errorf("--version: %+v", r)
	}
	dir := t.TempDir()
	if err := install(dir, "bin", "bin"); err != nil {
		t.Fatal(err)
	}
	mark := func(file, text string) {
		t.Helper()
		if err := marked(filepath.Join(dir, "bin", file), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "bin", core), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r := gosess(t, dir, nil, "version")
	if r.status != 0 || !strings.HasPrefix(r.stdout, line) || !strings.Contains(r.stdout, "\nGo half  none") {
		t.Errorf("of an empty Go half: %+v", r)
	}
	const apart = "do not fit each other"
	mark(library, "1.2.3 77")
	mark(core, "1.2.4 77")
	r = gosess(t, dir, nil, "version")
	if squeezed := squeeze(r.stdout); !strings.Contains(squeezed, "\nlibrary 1.2.3 ABI 77 "+dir+"/bin/"+library+"\n") ||
		!strings.Contains(squeezed, "\nGo half 1.2.4 ABI 77 "+dir+"/bin/"+core+"\n") || strings.Contains(squeezed, apart) {
		t.Errorf("%+v", r)
	}
	mark(core, "1.2.4 78")
	if r := gosess(t, dir, nil, "version"); !strings.Contains(r.stdout, apart) {
		t.Errorf("other ABIs: %+v", r)
	}
	if r := gosess(t, dir, nil, "version", "--json"); !strings.Contains(r.stdout, `"fits": false`) {
		t.Errorf("other ABIs: %+v", r)
	}
}

// No colours where nobody sees them.
func TestColours(t *testing.T) {
	plain, coloured := output{}, output{colours: true}
	if got := plain.bad("x"); got != "x" {
		t.Errorf("%q", got)
	}
	if got := coloured.bad("x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("%q", got)
	}
	if r := gosess(t, home, nil, "help"); strings.Contains(r.stdout, "\x1b") {
		t.Error("colours in a pipe")
	}
}
