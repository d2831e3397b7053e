package shim_test

import (
	"strings"
	"testing"
)

// Is a server that forks a process for each connection left to libssl, and no other that forks?
func TestProcessForEachConnection(t *testing.T) {
	for _, cache := range []string{"memory:", "shm:?size=1m"} {
		for scenario, want := range map[string]string{
			"each-connection": "8 of 40 loaded",
			"a-minute-later":  "8 of 40 loaded\n0 of 8 loaded\n8 of 40 loaded",
			"some-several":    "24 of 24 loaded",
			"prefork":         "32 of 32 loaded",
		} {
			h := served(t, "generations", scenario)
			h.cache = cache
			s := h.run(t)
			s.wants(t, want)
			if strings.HasPrefix(want, "8 of 40") {
				s.logs(t, "forks a process for each connection")
			} else {
				s.logs(t)
			}
		}
	}
}
