package doctor

import (
	"context"
	"errors"
	"sync"
	"time"

	"gosess/internal/probe"
)

// Prober makes connections: probe.Connect, but for tests.
type Prober func(ctx context.Context, ask probe.Ask) (probe.Seen, error)

// Bounds that keep an examination polite and finite.
const (
	atOnce       = 4  // connections
	failures     = 3  // in a row after which an address is left alone
	addressLimit = 32 // addresses that are looked at
)

// errGaveUp is returned in the place of a connection to an address that has failed too often.
var errGaveUp = errors.New("the address is left alone")

// examiner examines one service.
type examiner struct {
	connect  Prober
	name     string
	patience time.Duration
	pause    time.Duration // between the beginnings of two connections

	report *Report

	mutex sync.Mutex // guards what follows, and the report while several connect
	talk  probe.Talk
	next  time.Time // when the next connection may begin
}

// turn waits until another connection may begin.
func (e *examiner) turn(ctx context.Context) error {
	e.mutex.Lock()
	wait := time.Until(e.next)
	e.next = time.Now().Add(max(wait, 0) + e.pause)
	e.mutex.Unlock()
	if wait <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// open makes one connection. What is left open in ask is the same for all.
func (e *examiner) open(ctx context.Context, to *Address, ask probe.Ask) (probe.Seen, error) {
	if err := e.turn(ctx); err != nil {
		return probe.Seen{}, err
	}
	e.mutex.Lock()
	ask.Address, ask.Patience, ask.Talk = to.Address, e.patience, e.talk
	e.report.Connections++
	e.mutex.Unlock()
	seen, err := e.connect(ctx, ask)
	if err == nil {
		e.mutex.Lock()
		defer e.mutex.Unlock()
		e.note(to, ask, seen)
	}
	return seen, err
}

// visit makes one connection to an address of the report, and counts where that fails.
func (e *examiner) visit(ctx context.Context, address int, ask probe.Ask) (probe.Seen, error) {
	to := e.report.Addresses[address]
	e.mutex.Lock()
	gaveUp := to.failed >= failures
	e.mutex.Unlock()
	if gaveUp {
		return probe.Seen{}, errGaveUp
	}
	seen, err := e.open(ctx, to, ask)
	e.mutex.Lock()
	defer e.mutex.Unlock()
	switch {
	case err == nil:
		to.failed = 0
	case ctx.Err() == nil && !errors.Is(err, probe.ErrAsk):
		e.report.Failed++
		e.report.Failure = to.Address + ": " + err.Error()
		to.failed++
	}
	return seen, err
}

// note keeps what every connection shows. Called with the mutex.
func (e *examiner) note(to *Address, ask probe.Ask, seen probe.Seen) {
	if to.Header == "" {
		to.Header = header(seen)
	}
	if e.talk.HTTP() && seen.Answer == "" && !ask.Early {
		e.talk = probe.Silent // it speaks something else: nothing is said from now on
	}
	for _, session := range seen.Sessions {
		if ask.Name != e.name { // which may lead to other keys
			break
		}
		if gives(ask.Kind, []probe.Session{session}) == givesTicket {
			e.report.Keys.remember(session.Ticket, to.Address)
		}
	}
	if seen.Resumed || ask.Session != nil || ask.Name != e.name {
		return
	}
	way := wayNames[ask.Kind]
	if _, known := to.Full[way]; !known {
		to.Full[way] = fullOf(ask.Kind, seen)
	}
}
