package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"gosess/internal/probe"
)

// machine is one machine, or process, behind an address.
type machine struct {
	key         int  // of its tickets, and which cache it has
	forgets     bool // it resumes nothing
	spent       bool // a resumption of TLS 1.3 gives no ticket
	once        bool // each TLS 1.3 ticket is accepted once
	givesNone   bool // no session at all
	stateful    bool // its TLS 1.3 tickets are numbers
	early       bool
	certificate string // of each name, where it has some
	only12      bool
	verifies    bool // it asks clients for certificates
	hint        time.Duration
}

// fleet is a service: each connection comes to one of the machines behind its address. It is used by one test, in
// which connections are made by one at a time.
type fleet struct {
	random   *rand.Rand
	machines map[string][]*machine
	crosses  bool // sessions are resumed under each name
	used     map[string]bool
	next     int
	dies     int // after how many connections nobody answers any more; 0: never
	fails    int // each connection of that number fails; 0: none
	served   int
	ask      chan func()
}

type fakeSession struct {
	Key    int
	Kind   probe.Kind
	Name   string
	Number int
}

func newFleet(t testing.TB, seed uint64) *fleet {
	f := &fleet{random: rand.New(rand.NewPCG(seed, 1)), machines: map[string][]*machine{}, used: map[string]bool{}, ask: make(chan func())}
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case do := <-f.ask:
				do()
			case <-done:
				return
			}
		}
	}()
	return f
}

// behind puts machines behind the address of that number.
func (f *fleet) behind(address int, machines ...*machine) *fleet {
	f.machines[fmt.Sprintf("192.0.2.%d:443", address)] = machines
	return f
}

func (f *fleet) resolve(context.Context, string, string) ([]net.IP, error) {
	var ips []net.IP
	for n := range len(f.machines) {
		ips = append(ips, net.IPv4(192, 0, 2, byte(n+1)))
	}
	return ips, nil
}

// connect is a Prober.
func (f *fleet) connect(ctx context.Context, ask probe.Ask) (seen probe.Seen, err error) {
	done := make(chan struct{})
	f.ask <- func() {
		defer close(done)
		seen, err = f.serve(ask)
	}
	<-done
	return seen, err
}

func (f *fleet) serve(ask probe.Ask) (probe.Seen, error) {
	machines := f.machines[ask.Address]
	if len(machines) == 0 {
		return probe.Seen{}, errors.New("nobody is there")
	}
	if f.served++; f.dies > 0 && f.served > f.dies {
		return probe.Seen{}, errors.New("the server does not answer")
	}
	if f.fails > 0 && f.served%f.fails == 0 {
		return probe.Seen{}, errors.New("the server does not answer")
	}
	m := machines[f.random.IntN(len(machines))]
	if m.only12 && ask.Kind == probe.ByPSK {
		return probe.Seen{}, fmt.Errorf("%w: version", probe.ErrRefused)
	}
	seen := probe.Seen{Answer: "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", Certificate: []byte("one")}
	if m.certificate != "" {
		seen.Certificate = []byte(m.certificate + ask.Name)
	}
	var offered fakeSession
	if ask.Session != nil {
		if err := json.Unmarshal(ask.Session.DER, &offered); err != nil {
			return seen, err
		}
		seen.Resumed = offered.Key == m.key && !m.forgets && (offered.Name == ask.Name || f.crosses)
		if m.once && ask.Kind == probe.ByPSK {
			number := fmt.Sprint(offered.Number)
			seen.Resumed = seen.Resumed && !f.used[number] && ask.Before == ""
			f.used[number] = f.used[number] || seen.Resumed
		}
	}
	seen.Wants = m.verifies && !seen.Resumed
	seen.Early = ask.Early && seen.Resumed && m.early
	switch {
	case m.givesNone:
	case seen.Resumed && (ask.Kind != probe.ByPSK || m.spent):
	case seen.Resumed || ask.Kind != probe.ByPSK:
		seen.Sessions = []probe.Session{f.session(m, ask)}
	default:
		seen.Sessions = []probe.Session{f.session(m, ask), f.session(m, ask)}
	}
	return seen, nil
}

func (f *fleet) session(m *machine, ask probe.Ask) probe.Session {
	f.next++
	der, _ := json.Marshal(fakeSession{m.key, ask.Kind, ask.Name, f.next})
	session := probe.Session{DER: der, Hint: m.hint}
	random := make([]byte, 160)
	for n := range random {
		random[n] = byte(f.random.Uint32())
	}
	switch {
	case ask.Kind == probe.ByID: // nothing is said of its life
		session.Hint = 0
		session.ID = random[:32]
	case ask.Kind == probe.ByPSK && m.stateful:
		session.Ticket = random[:32]
	default:
		copy(random, fmt.Sprintf("key %012d", m.key))
		session.Ticket = random
	}
	if ask.Kind == probe.ByPSK && m.early {
		session.MaxEarly = 16384
	}
	return session
}

// examine is what the doctor finds of the fleet.
func (f *fleet) examine(t testing.TB, change func(*Options)) (*Report, *Record) {
	t.Helper()
	options := Options{Targets: []string{"www.example.org:443"}, Talk: probe.Talk{Protocol: "http"}, Rate: 1e9}
	if change != nil {
		change(&options)
	}
	report, record, err := examine(t.Context(), f.connect, f.resolve, options)
	if err != nil {
		t.Fatal(err)
	}
	return report, record
}

// codes are those of the findings.
func (r *Report) codes() (codes []string) {
	for _, finding := range r.Findings {
		codes = append(codes, finding.Code)
	}
	return codes
}
