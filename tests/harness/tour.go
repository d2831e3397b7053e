package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// PageTour is what a page tells an operator to do: to try the server with gosess run, to add the environment, to see that
// it works, and to undo it. Through and Env are the server's, Resumes makes sessions and wants them resumed, if that is so.
type PageTour struct {
	Page    string
	Dir     string
	Server  Server
	Through *[]string
	Env     *[]string
	Resumes func(wanted bool)
	Known   bool // whether the server, without gosess, resumes them all the same while it is not reloaded
}

// Run takes the tour.
func (p PageTour) Run(t *testing.T) {
	t.Helper()
	do := func(step func() error) {
		t.Helper()
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	*p.Env, *p.Through = nil, PageThrough(t, p.Page, p.Dir)
	do(p.Server.Start)
	p.Resumes(true)
	p.served(t, true)
	do(p.Server.Stop)

	*p.Through = nil
	env, err := PageEnvironment(p.Page, p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	*p.Env = env
	do(p.Server.Start)
	p.Resumes(true)
	p.served(t, true)
	p.seen(t)
	do(p.Server.Stop)

	*p.Env = nil
	do(p.Server.Start)
	p.served(t, false)
	p.Resumes(p.Known)
	p.removed(t)
	do(p.Server.Stop)
}

// TourOf takes it with a program that has libssl's own cache without gosess.
func TourOf(t *testing.T, page string, p *Program) {
	t.Helper()
	t.Cleanup(func() { p.Subject().end(t) })
	PageTour{
		Page: page, Dir: p.Dir, Server: p, Through: &p.Through, Env: &p.Env, Known: true,
		Resumes: func(bool) {
			t.Helper()
			r, err := Load(p.Port, "--tls", "1.2", "--no-ticket", "--sessions", Times(20), "--attempts", Times(100))
			if err != nil || r.Errors != 0 || r.Resumed != r.Attempts {
				t.Errorf("%+v %v", r, err)
			}
		},
	}.Run(t)
}

func (p PageTour) served(t *testing.T, wanted bool) {
	t.Helper()
	for _, worker := range p.Server.Workers() {
		if got := worker.Maps("libgosess-core.so"); got != wanted {
			t.Errorf("the Go half is in %s: %v", worker.Title(), got)
		}
	}
}

// seen wants what "Does it work?" promises: a line for each worker that served, with what it has counted.
func (p PageTour) seen(t *testing.T) {
	t.Helper()
	named, err := PageStore(p.Page)
	if err != nil {
		t.Fatal(err)
	}
	words, err := PageCommand(p.Page, "gosess stats", named, filepath.Join(p.Dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v: %s", words, err, output)
	}
	for _, worker := range p.Server.Workers() {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^ *%d `, worker.PID)).Match(output) {
			t.Errorf("worker %d is not in\n%s", worker.PID, output)
		}
	}
}

// removed removes what the page says is to be removed, after which there is nothing left of gosess.
func (p PageTour) removed(t *testing.T) {
	t.Helper()
	text, err := page(p.Page)
	if err != nil {
		t.Fatal(err)
	}
	named, err := PageStore(p.Page)
	if err != nil {
		t.Fatal(err)
	}
	_, undo, _ := strings.Cut(text, "## To undo it\n")
	undo, _, _ = strings.Cut(undo, "\n## ")
	store := filepath.Join(p.Dir, "store")
	for _, found := range regexp.MustCompile("`(/var/lib/gosess/[^`]*)`").FindAllStringSubmatch(undo, -1) {
		if err := os.Remove(strings.Replace(found[1], named, store, 1)); err != nil {
			t.Errorf("%s: %v", found[1], err)
		}
	}
	if left, _ := filepath.Glob(store + "*"); left != nil {
		t.Errorf("left: %q", left)
	}
}
