package nginx_test

import (
	"testing"

	"gosess/tests/harness"
)

// What the page tells an operator to do does what it says.
func TestPage(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	harness.PageTour{
		Page: "nginx", Dir: s.Dir, Server: s, Through: &s.Through, Env: &s.Env,
		Resumes: func(wanted bool) {
			for _, version := range []string{"1.2", "1.3"} {
				if wanted {
					s.resumes(few(version)...)
				} else {
					s.refuses(few(version)...)
				}
			}
		},
	}.Run(t)
}

// nginx -t says what is wrong with the environment, and that nginx's own configuration is right.
func TestMistakeIsSaid(t *testing.T) {
	s := newServer(t, "shm:?size=many")
	s.says = 1
	s.do(s.Test)
}
