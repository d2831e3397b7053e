package harness

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"gosess/sessioncache"
)

// TicketEnds are what the tickets of a server meet that are sealed with keys of its own making: some end with each.
type TicketEnds struct {
	// New is a server in its default configuration, that is not yet started: for gosess, where env is not empty.
	New    func(t *testing.T, dir string, env []string) (*Subject, error)
	Late   bool        // it switches to a name after libssl has looked: the first handshake of each name is a full one
	More   []TicketEnd // that only this server has
	System System      // whose server it is
}

// TicketEnd is one of them, and whether all tickets of a server without gosess end with it.
type TicketEnd struct {
	Name string
	Take func(*Subject) error
	Ends bool
}

var ticketEnds = []TicketEnd{
	{"another worker", func(*Subject) error { return nil }, false},
	{"a reload", func(s *Subject) error { return s.Reload() }, false},
	{"kill -9 of a worker", func(s *Subject) error { return s.Replace() }, false},
	{"a restart", func(s *Subject) error { return StopAndStart(s) }, true},
	{"kill -9 of all", func(s *Subject) error { return errors.Join(s.Kill9(), s.Start()) }, true},
}

// ticketClients are those who come: with each version, and without a name and with one.
var ticketClients = [][]string{
	{"--tls", "1.2"}, {"--tls", "1.3"}, {"--tls", "1.2", "--sni", "first.test"}, {"--tls", "1.3", "--sni", "first.test"},
}

// Run wants every ticket resumed after each of them with GOSESS_TICKETS=shared and a store with a path, and by the ticket alone; and
// takes a server without gosess through the same, at the same time: else nobody would know that there is anything to lose.
func (e TicketEnds) Run(t *testing.T) {
	NeedBuild(t)
	dirs := [2]string{e.System.TempDir(t), e.System.TempDir(t)}
	env, err := Preload("shm:" + filepath.Join(dirs[1], "store") + "?size=4m")
	if err != nil {
		t.Fatal(err)
	}
	var servers [2]*Subject
	for i, env := range [][]string{nil, append(env, "GOSESS_TICKETS=shared")} {
		if servers[i], err = e.New(t, dirs[i], env); err != nil {
			t.Fatal(err)
		}
		StartFor(t, servers[i])
	}
	for _, end := range append(slices.Clone(ticketEnds), e.More...) {
		var resumed, attempts [2]int
		var failed [2]error
		var both sync.WaitGroup
		for i, s := range servers {
			both.Go(func() { resumed[i], attempts[i], failed[i] = e.through(s, filepath.Join(dirs[i], "sessions"), end) })
		}
		both.Wait()
		if err := errors.Join(failed[:]...); err != nil {
			t.Fatalf("%s: %v", end.Name, err)
		}
		t.Logf("%s: resumed %d of %d, without gosess %d of %d", end.Name, resumed[1], attempts[1], resumed[0], attempts[0])
		if attempts[1] == 0 || resumed[1] != attempts[1] {
			t.Errorf("%s: resumed %d of %d", end.Name, resumed[1], attempts[1])
		}
		if end.Ends && resumed[0] != 0 {
			t.Errorf("%s: without gosess resumed %d of %d", end.Name, resumed[0], attempts[0])
		}
	}
	stats, err := ReadStats(storeOf(servers[1].Env, nil)...)
	if err != nil || stats[sessioncache.Hits] != 0 {
		t.Errorf("the store was asked for sessions: %+v %v", stats, err)
	}
}

// through makes sessions, takes one of the ends, and offers them.
func (e TicketEnds) through(s *Subject, file string, end TicketEnd) (resumed, attempts int, err error) {
	come := func(arguments []string, more ...string) (Result, error) {
		r, err := Load(s.Port, slices.Concat(arguments, s.Arguments, more)...)
		if err == nil && r.Errors != 0 {
			err = fmt.Errorf("%v: %d errors: %s", arguments, r.Errors, r.Said)
		}
		return r, err
	}
	for i, client := range ticketClients {
		if _, err := come(client, "--sessions", "4", "--attempts", "0", "--save", file+strconv.Itoa(i)); err != nil {
			return 0, 0, err
		}
	}
	if err := end.Take(s); err != nil {
		return 0, 0, err
	}
	for i, client := range ticketClients {
		if named := slices.Contains(client, "--sni"); named && e.Late {
			if _, err := come(client, "--sessions", "1", "--attempts", "0"); err != nil {
				return 0, 0, err
			}
		}
		r, err := come(client, "--load", file+strconv.Itoa(i), "--attempts", "12")
		if err != nil {
			return 0, 0, err
		}
		resumed, attempts = resumed+r.Resumed, attempts+r.Attempts
	}
	return resumed, attempts, nil
}

// RenewsUnderItsOwnKeys has a hundred clients come twenty times each, who use each ticket of TLS 1.3 once, to a server with a file of
// ticket keys which by itself sends no ticket where one was used (T12). With gosess each is followed by another, so all are resumed, whether
// the others are shared or not: the server's keys win. start starts it without gosess, where tickets is empty, or with
// GOSESS_TICKETS, and is its port.
func RenewsUnderItsOwnKeys(t *testing.T, start func(t *testing.T, tickets string) (port int)) {
	for tickets, chains := range map[string]int{"": 20, "keep": 100, "shared": 20} {
		r, err := Load(start(t, tickets), "--tls", "1.3", "--once", "--sessions", strconv.Itoa(chains), "--attempts", strconv.Itoa(chains*19))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%q: resumed %d of %d", tickets, r.Resumed, r.Attempts)
		if r.Errors != 0 || tickets == "" && 3*r.Resumed > 2*r.Attempts || tickets != "" && r.Resumed != r.Attempts {
			t.Errorf("%q: %+v", tickets, r)
		}
	}
}
