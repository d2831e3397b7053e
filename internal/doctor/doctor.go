// Package doctor examines a running TLS server from outside, as clients come to it, and says what becomes of their sessions
// and why. It makes connections only by a Prober, in a number and at a pace that are bounded.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"gosess/internal/probe"
)

// Options are what is to be examined.
type Options struct {
	Targets  []string // HOST:PORT; all their addresses are one service
	Names    []string // server names: the first is examined, sessions are offered under the others; none: by the host
	Talk     probe.Talk
	Expect   []Expectation
	Before   *Record       // of an earlier run
	Lasting  time.Duration // how long sessions are kept, to see how long they last; 0: not at all
	Server   string        // whose lines are shown; "": the one that is recognised
	Preload  string        // where the library lies that the lines name; "": where make install puts it
	Rate     int           // connections a second at most
	Patience time.Duration // for one connection
}

// resolver finds the addresses of a host.
type resolver func(ctx context.Context, network, host string) ([]net.IP, error)

// Examine examines a service. The record is for the next run. An error says that nothing could be found out.
func Examine(ctx context.Context, connect Prober, options Options) (*Report, *Record, error) {
	return examine(ctx, connect, net.DefaultResolver.LookupIP, options)
}

func examine(ctx context.Context, connect Prober, resolve resolver, options Options) (*Report, *Record, error) {
	e := &examiner{
		connect:  connect,
		talk:     options.Talk,
		patience: options.Patience,
		pause:    time.Second / time.Duration(options.Rate),
		report: &Report{Targets: options.Targets, When: time.Now(), Unreached: []Unreached{}, Crossings: []Crossing{},
			preload: options.Preload},
	}
	addresses, host, err := find(ctx, resolve, options.Targets)
	if err != nil {
		return nil, nil, err
	}
	e.report.LeftOut = max(len(addresses)-addressLimit, 0)
	addresses = addresses[:min(len(addresses), addressLimit)]
	var otherNames []string
	e.name = host
	if len(options.Names) > 0 {
		e.name, otherNames = options.Names[0], options.Names[1:]
	}
	e.report.Name = e.name
	if err := e.survey(ctx, addresses); err != nil {
		return nil, nil, err
	}
	if options.Before != nil {
		e.compare(ctx, options.Before)
	}
	e.resumptions(ctx, options.Expect)
	for _, way := range e.report.Ways {
		if way.Given > 0 {
			e.crossNames(ctx, way, e.otherNames(otherNames))
		}
	}
	if way := e.report.way(wayNames[probe.ByPSK]); way.Given > 0 {
		e.reuse(ctx)
	}
	if options.Lasting > 0 {
		e.last(ctx, options.Lasting)
	}
	e.identify(ctx, options.Server)
	e.sumKeys()
	record := e.remember(options.Before, strings.Join(options.Targets, " "))
	e.leave(ctx, record)
	e.report.Findings = findings(e.report)
	e.report.Expectations = judge(e.report, options.Expect)
	return e.report, record, ctx.Err()
}

// find is the addresses of all targets, and the name by which the first one goes; "" where that is an address.
func find(ctx context.Context, resolve resolver, targets []string) (addresses []string, name string, err error) {
	add := func(ip, port string) {
		if address := net.JoinHostPort(ip, port); !slices.Contains(addresses, address) {
			addresses = append(addresses, address)
		}
	}
	for n, target := range targets {
		host, port, err := net.SplitHostPort(target)
		if err != nil {
			return nil, "", fmt.Errorf("%s: not HOST:PORT, as in www.example.org:443", target)
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			add(ip.Unmap().String(), port)
			continue
		}
		ips, err := resolve(ctx, "ip", host)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", host, plainLookup(err))
		}
		if n == 0 {
			name = host
		}
		for _, ip := range ips {
			add(ip.String(), port)
		}
	}
	return addresses, name, nil
}

func plainLookup(err error) error {
	var lookup *net.DNSError
	if errors.As(err, &lookup) && lookup.IsNotFound {
		return errors.New("no such host")
	}
	return err
}

// survey makes one full handshake of each way at each address, and leaves out addresses and ways that have none.
func (e *examiner) survey(ctx context.Context, addresses []string) error {
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	found := make([]*Address, len(addresses))
	errs := make([]error, len(addresses))
	for n, address := range addresses {
		all.Go(func() {
			places <- struct{}{}
			found[n] = &Address{Address: address, Full: map[string]Full{}}
			errs[n] = e.surveyOne(ctx, found[n])
			<-places
		})
	}
	all.Wait()
	for n, address := range found {
		if errs[n] == nil {
			e.report.Addresses = append(e.report.Addresses, address)
		} else {
			e.report.Unreached = append(e.report.Unreached, Unreached{address.Address, errs[n].Error(),
				errors.Is(errs[n], probe.ErrNoWay)})
		}
	}
	if len(e.report.Addresses) == 0 {
		return fmt.Errorf("%s: %w", addresses[0], errs[0])
	}
	for _, kind := range probe.Kinds {
		way := &Way{Kind: kind, Name: wayNames[kind]}
		for _, address := range e.report.Addresses {
			if _, spoken := address.Full[way.Name]; spoken {
				way.Spoken = true
			}
		}
		e.report.Ways = append(e.report.Ways, way)
	}
	return nil
}

// surveyOne tries the ways at an address until one shows that nobody is there. Its error is that of the first.
func (e *examiner) surveyOne(ctx context.Context, address *Address) error {
	var first error
	for _, kind := range []probe.Kind{probe.ByPSK, probe.ByTicket, probe.ByID} {
		_, err := e.open(ctx, address, probe.Ask{Name: e.name, Kind: kind})
		if err == nil {
			continue
		}
		if first == nil {
			first = err
		}
		if len(address.Full) == 0 && !errors.Is(err, probe.ErrRefused) {
			return err
		}
	}
	if len(address.Full) > 0 {
		return nil
	}
	return first
}

// resumptions sends clients about, as many as are needed to see what is expected.
func (e *examiner) resumptions(ctx context.Context, expect []Expectation) {
	visits := attemptsWanted(expect)
	for _, way := range e.report.Ways {
		if way.Spoken {
			e.travel(ctx, way, plan(len(e.report.Addresses), visits))
		}
	}
}

// identify finds out which server it is, by what it calls itself and how it refuses nonsense.
func (e *examiner) identify(ctx context.Context, said string) {
	e.report.Header = e.report.Addresses[0].Header
	answer := ""
	if e.talk.HTTP() && said == "" {
		for _, way := range e.report.Ways {
			if !way.Spoken {
				continue
			}
			talk := e.talk
			e.talk = probe.Nonsense
			if seen, err := e.visit(ctx, 0, probe.Ask{Name: e.name, Kind: way.Kind}); err == nil {
				answer = seen.Answer
			}
			e.talk = talk
			break
		}
	}
	e.report.Server = recognise(answer, e.report.Header)
	if said != "" {
		e.report.Server = said
	}
}

// sumKeys looks what the tickets say of their keys.
func (e *examiner) sumKeys() {
	keys := &e.report.Keys
	keys.NameBytes, keys.Keys = keysOf(keys.tickets)
	var samples [][]byte // one under each key, or one at all
	for _, key := range keys.Keys {
		samples = append(samples, key.sample)
	}
	if len(samples) == 0 && len(keys.tickets) > 0 {
		samples = append(samples, keys.tickets[0].ticket)
	}
	for _, sample := range samples {
		if guessed := guess(sample); guessed != "" && keys.Default != guessedAll {
			keys.Default = guessed
		}
	}
}
