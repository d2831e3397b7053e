package main

import (
	"fmt"
	"path/filepath"
	"strconv"

	"gosess/tests/harness"
)

const (
	smallStore     = 1 << 20
	triedSessions  = 7000 // more than any store of 1 MiB holds
	capacityTarget = 4600
)

// capacity is how many of the sessions that were made a store of 1 MiB still resumes.
type capacity struct {
	Name  string
	Holds int
}

// measureCapacities fills small stores by full TLS 1.2 handshakes, and counts what is left. Looking is
// done by clients that break off what is not resumed, so that it changes nothing.
func (b *bench) measureCapacities() error {
	for _, start := range []makePeer{
		nginx("shared:SSL:1m", smallStore), haproxy(false, smallStore), httpd(true, smallStore), nginx("none", smallStore),
	} {
		err := withPeers([]makePeer{start}, func(peers []peer) error {
			p := peers[0]
			pool := filepath.Join(b.scratch, "pool-capacity")
			tried := strconv.Itoa(triedSessions)
			arguments := []string{"--tls", "1.2", "--sessions", tried}
			made, err := harness.Load(p.port, append(arguments, "--attempts", "0", "--save", pool)...)
			if err != nil {
				return err
			}
			r, err := harness.Load(p.port, append(arguments, "--attempts", tried, "--load", pool, "--resume-only")...)
			if err != nil {
				return err
			}
			if made.Errors+r.Errors > 0 {
				return fmt.Errorf("%s: %d errors: %s%s", p.name, made.Errors+r.Errors, made.Said, r.Said)
			}
			b.capacities = append(b.capacities, capacity{p.name, r.Resumed})
			b.progress("1 MiB: %-37s resumes %d of %d sessions", p.name, r.Resumed, triedSessions)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
