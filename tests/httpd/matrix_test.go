// Package httpd_test runs Debian's unmodified Apache httpd with gosess preloaded.
package httpd_test

import (
	"os"
	"strings"
	"testing"

	"gosess/tests/harness"
)

var steps = []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart}

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// All rows, with the event MPM and gosess as the only cache.
func TestMatrix(t *testing.T) {
	harness.Matrix{
		Page:    "httpd",
		New:     maker("event", ""),
		Tickets: []string{"off", "on", "stateful", "shared"},
		Workers: []int{1, 2},
		Paths:   []bool{false, true},
		Steps:   steps,
	}.Run(t)
}

// With the other MPMs, and with httpd's own cache before gosess.
func TestMatrixOfOthers(t *testing.T) {
	const shmcb = "shmcb:${APACHE_RUN_DIR}/ssl_scache(512000)" // Debian's
	for name, subject := range map[string]func(*testing.T, string, harness.Row, []string) (*harness.Subject, error){
		"worker":        maker("worker", ""),
		"prefork":       maker("prefork", ""),
		"shmcb":         maker("event", shmcb),
		"prefork shmcb": maker("prefork", shmcb),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			harness.Matrix{
				Page:    "httpd",
				New:     subject,
				Tickets: []string{"off"},
				Workers: []int{2},
				Paths:   []bool{true},
				Steps:   steps,
			}.Run(t)
		})
	}
}

// maker makes servers with the lines of the page; cache is what takes the place of its SSLSessionCache.
func maker(mpm, cache string) func(*testing.T, string, harness.Row, []string) (*harness.Subject, error) {
	return func(_ *testing.T, dir string, row harness.Row, env []string) (*harness.Subject, error) {
		lines, err := harness.Block("httpd", "apache")
		if err != nil {
			return nil, err
		}
		if cache != "" {
			lines = strings.Replace(lines, "nonenotnull", cache, 1)
		}
		if row.Tickets == "off" {
			lines = strings.Replace(lines, "SSLSessionTickets on", "SSLSessionTickets off", 1)
		}
		h, err := harness.NewHTTPD(dir)
		if err != nil {
			return nil, err
		}
		h.Env, h.MPM, h.WorkerCount, h.SSL = env, mpm, row.Workers, lines
		return h.Subject(), nil
	}
}
