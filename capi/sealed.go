package capi

// #include "glue.h"
import "C"

import (
	"bytes"
	"math/rand/v2"
	"sync/atomic"
	"time"
	"unsafe"

	"gosess/sessioncache"
	objects "gosess/sessioncache/live"
)

// sealed is a store that keeps sessions as sealed bytes, which processes share. What may not be
// shared, because its bytes are not all of it or its terms are not known, is kept live in this
// process, as libssl's own cache would have kept it.
type sealed struct {
	store  sessioncache.Store
	check  func() error // what has become of the store, where a session was not found
	rules  *sessioncache.Cache
	copies *objects.Copies // of those that take long to decode
	live   *live
	rows   rows
	fleet  bool // other machines may have a session too

	keysDue atomic.Int64 // when other machines are to be asked for sealing keys, unix seconds
	forgets atomic.Int32 // so many times the C half is to be told that a sealing key is accepted no more
}

const (
	// A worker's copies may take this part of the size of the store, which it shares.
	copiesPart = 4
	// What the live sessions of a process may take up at least, in bytes: as many as libssl's
	// cache keeps of a context by default (L31).
	liveMin = 32 << 20
)

func newSealed(store sessioncache.Store, check func() error, rules *sessioncache.Cache, size uint64) *sealed {
	rules.OnError(func(err error) { logText(C.GOSESS_CAUSE_STORE, err.Error()) })
	s := &sealed{
		store: store, check: check, rules: rules,
		copies: objects.NewCopies(int64(size/copiesPart), retain),
		live:   newLive(int64(max(size, liveMin))),
	}
	rules.OnKeys(s.changeKeys)
	return s
}

// changeKeys has contexts counted under the tags that they have with the new keys. Where fewer are accepted, so are the
// secrets of tickets: a thread that was asking for these before may hand its answer to the C half afterwards, which is told twice therefore.
func (s *sealed) changeKeys(fewer bool) {
	s.rows.renew()
	s.keysDue.Store(0)
	if fewer {
		s.forgets.Store(2)
	}
}

func (s *sealed) cache() *cache {
	return &cache{
		C.GOSESS_CLOSE:     s.close,
		C.GOSESS_CLEAR:     s.clear,
		C.GOSESS_COUNT:     s.count,
		C.GOSESS_NUMBER:    s.number,
		C.GOSESS_FLUSH:     s.flush,
		C.GOSESS_FORGET:    s.forget,
		C.GOSESS_SHARE:     s.share,
		C.GOSESS_KEEP:      s.keep,
		C.GOSESS_FIND:      s.find,
		C.GOSESS_LEARN:     s.learn,
		C.GOSESS_ROUTE:     s.route,
		C.GOSESS_COUNTERS:  s.counters,
		C.GOSESS_EXPIRE:    s.expire,
		C.GOSESS_SECRETS:   s.secrets,
		C.GOSESS_KEEP_COPY: s.keepCopy,
		C.GOSESS_REMOVE:    s.remove,
		C.GOSESS_CHANGE:    s.change,
		C.GOSESS_MISSED:    s.missed,
	}
}

// share stores a session's bytes. What a full handshake's server name has led to is noted with it.
func (s *sealed) share(r *request) {
	if wasAsked(r) {
		return // for something else, and it was stored before that
	}
	defer s.askFarForKeys(r)
	if r.scope.routed {
		s.learn(r)
	}
	defer s.time(sessioncache.Put)()
	origin := originOf(r.scope)
	origin.Row = s.row(r)
	seal, err := s.rules.Put(unhurried, origin, sessioncache.Session{ID: idOf(r), DER: derOf(r), Expires: int64(r.expires)})
	switch {
	case err == sessioncache.ErrTooBig:
		r.result = C.GOSESS_TOO_BIG
	case err == nil:
		r.result = 1
		*sealOf(r) = seal
		s.keepCopy(r)
	}
}

// learn notes what a server name has led to.
func (s *sealed) learn(r *request) {
	origin := originOf(r.scope)
	s.rules.Learn(unhurried, configurationOf(r.scope), origin.ServerName, origin.Terms)
}

// route says what a server name has led to, and how to see that it still does.
func (s *sealed) route(r *request) {
	terms, watch, known := s.rules.WatchRoute(unhurried, configurationOf(r.scope), serverNameOf(r.scope))
	if known {
		*termsOf(r) = terms
		setWatch(&r.watch, watch)
		r.result = 1
	}
}

// keep keeps the object itself. What this context has shared of the session makes way, so that there is
// one of it; unless those are the bytes of the object, and it is stored already.
func (s *sealed) keep(r *request) {
	same := false
	if s.rules.Has(unhurried, ownerOf(r.owner), idOf(r), func(der []byte, _ sessioncache.Seal) bool {
		same = bytes.Equal(der, derOf(r))
		return sameBytes(r, der)
	}) {
		if same {
			return
		}
		s.unshare(r)
	}
	if s.live.keep(r); r.result == 1 {
		row, reason := s.row(r), min(uint(r.scope.reason), C.GOSESS_REASONS-1)
		s.store.CountFor(row, sessioncache.Stores, 1)
		s.store.CountFor(row, sessioncache.KeptUnknown+sessioncache.Counter(reason), 1)
	}
}

// keepCopy keeps a copy of what takes long to decode, with the reference that the caller had.
func (s *sealed) keepCopy(r *request) {
	if r.copy == nil {
		return
	}
	copied := objectOf(r.copy)
	r.copy = nil
	unused(r, s.copies.Put(*sealOf(r), copied, int(r.size))...)
}

func (s *sealed) find(r *request) {
	defer s.time(sessioncache.Get)()
	row := s.row(r)
	if s.live.any() {
		if s.live.find(r); r.session != nil {
			s.store.CountFor(row, sessioncache.Hits, 1)
			return
		}
	}
	origin := originOf(r.scope)
	origin.Row = row
	known, reason := bool(r.scope.shared), sessioncache.MissedUnknown
	switch {
	case known && bool(r.scope.routed):
		origin.Terms, known = s.rules.Route(unhurried, configurationOf(r.scope), origin.ServerName)
	case bool(r.scope.routed), bool(r.scope.known):
		reason = sessioncache.MissedAbsent // it would be among the live ones
	}
	if !known {
		s.countMiss(row, reason, 1)
		return
	}
	s.findShared(r, origin)
}

// missed makes a miss of the hit that the C half could not use.
func (s *sealed) missed(r *request) {
	row, reason := s.row(r), sessioncache.MissedBroken
	if r.given_up {
		reason = sessioncache.MissedCipher
	}
	s.countMiss(row, reason, 1)
	s.store.CountFor(row, sessioncache.Hits, -1)
}

// row is where is counted what is asked for a context.
func (s *sealed) row(r *request) sessioncache.Row {
	return s.rows.of(r.owner, func() sessioncache.Row { return s.rules.Row(ownerOf(r.owner), labelOf(r.owner)) })
}

// counters says where the C half counts the tickets of a context.
func (s *sealed) counters(r *request) {
	if store, can := s.store.(sessioncache.Countable); can {
		process, context := store.CountersOf(s.row(r))
		r.counters.process, r.counters.context = (*C.uint64_t)(unsafe.Pointer(process)), (*C.uint64_t)(unsafe.Pointer(context))
	}
}

func (s *sealed) forget(r *request) {
	s.live.forget(r)
	s.rows.forget(r.owner)
}

// timed is the part of the operations that are timed: reading the clock of all would cost more than it says.
const timed = 16

func untimed() {}

// time begins to time an operation, which what it returns ends.
func (s *sealed) time(o sessioncache.Operation) func() {
	if rand.Uint32()%timed != 0 {
		return untimed
	}
	began := time.Now()
	return func() { s.store.Time(o, time.Since(began)) }
}

// findShared looks for a session that is shared under known terms.
func (s *sealed) findShared(r *request, origin sessioncache.Origin) {
	reason := sessioncache.MissedAbsent
	if r.take {
		reason = sessioncache.MissedTaken
	}
	switch {
	case wasAsked(r): // what is near now counts, and not what was before
		s.countMiss(origin.Row, reason, -1)
	case s.fleet && bool(r.take): // of all machines one may have it, and the far store says which
		s.countMiss(origin.Row, reason, 1)
		askFarForSession(r, s.rules, C.GOSESS_FAR_TAKE)
		return
	}
	find, copyOf := s.rules.Get, s.copies.Get
	if r.take {
		find, copyOf = s.rules.Take, s.copies.Drop
	} else if r.ticket {
		find = s.rules.Spend
	}
	der, stored, ok := find(unhurried, origin, idOf(r), roomOf(r))
	if !ok {
		if stored.Absent {
			askFarForSession(r, s.rules, C.GOSESS_FAR_GET)
		}
		if err := s.check(); err != nil {
			logError(C.GOSESS_CAUSE_STORE, "somebody has overwritten the file of the store", err)
		}
		return
	}
	r.der_length = C.size_t(len(der))
	*sealOf(r) = stored.Seal
	*termsOf(r) = origin.Terms
	r.bound = true
	r.ends = C.int64_t(stored.Expires)
	if object, ok := copyOf(stored.Seal); ok {
		r.copy = sessionOf(object)
	}
}

func (s *sealed) countMiss(row sessioncache.Row, reason sessioncache.Counter, n int64) {
	s.store.CountFor(row, sessioncache.Misses, n)
	s.store.CountFor(row, reason, n)
}

func (s *sealed) remove(r *request) {
	if !wasAsked(r) {
		if s.live.remove(r); r.removed {
			s.store.Count(sessioncache.Removals)
		}
	}
	removed, there := s.unshare(r)
	if removed {
		r.removed = true
	}
	if !there && !bool(r.removed) {
		askFarForSession(r, s.rules, C.GOSESS_FAR_GET)
	}
}

// unshare takes the bytes of a session out of the store, and reports whether it has and whether there were any under
// its id.
func (s *sealed) unshare(r *request) (removed, there bool) {
	removed = s.rules.Remove(unhurried, idOf(r), s.isThat(r, &there))
	return removed, there
}

// isThat says whether a stored session is the one of a request, and drops the copy of it then. It
// notes that there is one.
func (s *sealed) isThat(r *request, there *bool) func(der []byte, seal sessioncache.Seal) bool {
	return func(der []byte, seal sessioncache.Seal) bool {
		*there = true
		if !sameBytes(r, der) {
			return false
		}
		if object, ok := s.copies.Drop(seal); ok {
			unused(r, object)
		}
		return true
	}
}

// change leaves a session that is stored as one that ends earlier than it says itself what is left to
// it: it is one of a chain of tickets.
func (s *sealed) change(r *request) {
	before, now, there := int64(r.ends), int64(r.expires), false
	s.rules.Change(unhurried, idOf(r), derOf(r), func(stored int64) int64 {
		if stored < before {
			return min(stored, now)
		}
		return now
	}, s.isThat(r, &there))
	if !there {
		askFarForSession(r, s.rules, C.GOSESS_FAR_GET)
	}
}

// expire leaves nothing of the records whose time is over, although nobody asks for secrets.
func (s *sealed) expire(r *request) {
	s.told("zero what is over", s.rules.ExpireRecords(unhurried))
	if s.forgets.Load() > 0 {
		s.forgets.Add(-1)
		r.result = 1
	}
}

func (s *sealed) number(r *request) {
	s.live.number(r)
	stored, err := s.rules.Number(unhurried, ownerOf(r.owner))
	s.told("count the sessions", err)
	r.result += C.long(stored)
}

// secrets makes none that another machine has made.
func (s *sealed) secrets(r *request) {
	if !askFarForSecrets(r, s.rules) {
		readSecrets(r, s.rules)
	}
}

// flush leaves what has expired to the store, which drops it on its way: libssl flushes
// by itself every 255 connections, and looking at every entry takes too long for that.
func (s *sealed) flush(r *request) {
	s.live.flush(r)
	if before := int64(r.before); before == 0 || before > time.Now().Unix() {
		s.told("flush the store", s.rules.Flush(unhurried, ownerOf(r.owner), before))
	}
}

// close gives every reference back.
func (s *sealed) close(r *request) {
	s.live.drop(r)
	unused(r, s.copies.Clear()...)
}

func (s *sealed) clear(r *request) {
	s.told("clear the store", s.rules.Clear(unhurried))
	s.close(r)
}

func (s *sealed) count(r *request) {
	stats, err := s.rules.Stats(unhurried)
	s.told("read the counters", err)
	setStats(r.stats, stats)
}

// told logs what the store says where a host does not ask whether it was done.
func (s *sealed) told(operation string, err error) {
	if err != nil {
		logError(C.GOSESS_CAUSE_STORE, operation, err)
	}
}

// keysEvery is how often, in seconds, a process asks for what other machines say of the sealing keys. Most often it is near before that.
const keysEvery = 3600

// askFarForKeys asks for that, where it is time to and the request asks for nothing else.
func (s *sealed) askFarForKeys(r *request) {
	if r.far == nil {
		return
	}
	now, due := time.Now().Unix(), s.keysDue.Load()
	if now >= due && s.keysDue.CompareAndSwap(due, now+keysEvery) {
		var room [C.GOSESS_FAR_KEYS]sessioncache.LookupKey
		askFar(r, C.GOSESS_FAR_GET_RECORD, s.rules.AnnouncedKeys(room[:0]))
	}
}
