package hitch_test

import (
	"testing"

	"gosess/tests/harness"
)

// What the page tells an operator to do does what it says. One process of it has libssl's own cache without gosess.
func TestPage(t *testing.T) {
	harness.NeedBuild(t)
	dir := harness.TempDir(t)
	p, err := newHitch(t, dir, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		for _, line := range p.Problems() {
			t.Errorf("log: %s", line)
		}
	})
	harness.PageTour{
		Page: "hitch", Dir: dir, Server: p, Through: &p.Through, Env: &p.Env, Known: true,
		Resumes: func(bool) {
			r, err := harness.Load(p.Port, "--tls", "1.2", "--no-ticket", "--sessions", "20", "--attempts", "100")
			if err != nil || r.Errors != 0 || r.Resumed != r.Attempts {
				t.Errorf("%+v %v", r, err)
			}
		},
	}.Run(t)
}
