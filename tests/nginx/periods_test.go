package nginx_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// ticketing is a newServer with tickets and GOSESS_TICKETS=shared, whose store is the file of that path, and whose clock is that one.
func ticketing(t *testing.T, store string, clock *harness.Clock, apart int, timeout string) *server {
	t.Helper()
	s := newServer(t, "shm:"+store+"?size=4m")
	s.Tickets, s.Sites[0].Directives = true, "ssl_session_timeout "+timeout+";"
	s.Env = clock.For(append(s.Env, "GOSESS_TICKETS=shared", "GOSESS_TICKET_PERIOD=5m"), apart)
	return s
}

// tickets are some that were made at two servers, with one version, and where and when.
type tickets struct {
	file, version string
	made          int64
}

// Two servers whose clocks are a minute apart serve, under load, through periods, of which one worker sleeps through more than one.
// Each ticket is good at both for as long as it lasts by the clock of who looks, and no longer.
func TestTicketPeriods(t *testing.T) {
	const lasts, period, step, apart = 600, 300, 140, 60
	dir := system.TempDir(t)
	clock := harness.NewClock(t, dir)
	early := ticketing(t, filepath.Join(dir, "store"), clock, -apart/2, "10m")
	late := ticketing(t, filepath.Join(dir, "store"), clock, apart/2, "10m")
	late.WorkerCount, late.Sites[0].Cert = 1, early.Sites[0].Cert
	early.do(early.Start)
	late.do(late.Start)
	both := []string{"--port", fmt.Sprint(late.Port()), "--threads", "1"}
	come := func(arguments ...string) harness.Result {
		t.Helper()
		return early.load(append(arguments, both...)...)
	}
	ends := visitors(t, early.Port(), both)
	defer ends()

	var made []tickets
	offer := func() {
		t.Helper()
		for i, of := range made {
			age := clock.Now - of.made
			if age > lasts+period+step || age == 2*step {
				continue
			}
			// Of two sessions the first is made at the early server, and each is offered at the other one, and then at its own.
			want := 0
			for _, limit := range []int64{lasts - apart, lasts + apart, lasts, lasts} {
				if age <= limit {
					want++
				}
			}
			if r := come("--tls", of.version, "--load", of.file, "--attempts", "4"); r.Resumed != want {
				t.Errorf("TLS %s, tickets %d, %d s old: resumed %d, not %d", of.version, i, age, r.Resumed, want)
			}
		}
	}
	workers := early.Workers()
	signal := func(worker int, signal syscall.Signal) {
		t.Helper()
		early.do(func() error { return workers[worker].Kill(signal) })
	}
	periods := int64(12)
	if harness.All() {
		periods = 24
	}
	begin := clock.Now
	for n := 0; clock.Now < begin+periods*period; n++ {
		switch n {
		case 20:
			signal(0, syscall.SIGSTOP)
		case 23: // it goes on, and nobody else is there
			signal(0, syscall.SIGCONT)
			signal(1, syscall.SIGSTOP)
		case 24:
			signal(1, syscall.SIGCONT)
		}
		for _, version := range []string{"1.2", "1.3"} {
			of := tickets{filepath.Join(t.TempDir(), "tickets"), version, clock.Now}
			come("--tls", version, "--sessions", "2", "--attempts", "0", "--save", of.file)
			made = append(made, of)
		}
		clock.Set(clock.Now + step)
		offer()
	}
}

// visitors come to a server all the time, and are all served, until the function that is returned says that it is enough.
func visitors(t *testing.T, port int, more []string) (enough func()) {
	var done atomic.Bool
	ended := make(chan harness.Result)
	go func() {
		var all harness.Result
		for version := 2; !done.Load(); version = 5 - version {
			r, err := harness.Load(port, append([]string{"--tls", fmt.Sprint("1.", version), "--sessions", "4", "--attempts", "40"}, more...)...)
			if err != nil {
				r.Errors, r.Said = 1, err.Error()
			}
			all.Handshakes, all.Resumed, all.Errors, all.Said = all.Handshakes+r.Handshakes, all.Resumed+r.Resumed, all.Errors+r.Errors, all.Said+r.Said
		}
		ended <- all
	}()
	return func() {
		t.Helper()
		done.Store(true)
		all := <-ended
		t.Logf("meanwhile %d handshakes, %d of them resumed", all.Handshakes, all.Resumed)
		if all.Errors != 0 || all.Resumed == 0 {
			t.Errorf("%+v", all)
		}
	}
}

// A chain of tickets of TLS 1.3, each of which follows from the one before, ends seven days after its first handshake.
func TestChainsOfTicketsEnd(t *testing.T) {
	dir := system.TempDir(t)
	clock := harness.NewClock(t, dir)
	s := ticketing(t, filepath.Join(dir, "store"), clock, 0, "7d")
	s.Env = append(s.Env, "GOSESS_TICKET_PERIOD=1h")
	s.do(s.Start)
	harness.ChainsEnd(t, clock, s.Env, s.Port())
}
