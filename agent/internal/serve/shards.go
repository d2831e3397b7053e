package serve

import (
	"crypto/rand"
	"time"

	"gosess/agent/internal/far"
	"gosess/sessioncache/window"
)

const (
	// mostAbandoned is for how many answers of one shard workers wait in vain before nobody waits for it any more: as many as close the
	// gate, which is that of all shards, and stays open as long as others answer.
	mostAbandoned = window.MaxStrikes
	// mendEvery is how often a shard that does not answer is asked whether it does.
	mendEvery = 200 * time.Millisecond
)

// isBad reports whether a shard is not to be asked, as it does not answer.
func (m *machine) isBad(shard int) bool {
	b := &m.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bad[shard] || shard < 0 {
		return b.bad[shard]
	}
	abandoned := 0
	for _, r := range b.asked[shard] {
		if !m.window.IsAwaited(r) {
			abandoned++
		}
	}
	if abandoned >= mostAbandoned {
		m.isolate(shard)
	}
	return b.bad[shard]
}

// isolate has a shard asked until it answers. The caller holds the lock.
func (m *machine) isolate(shard int) {
	if m.breaker.bad[shard] {
		return
	}
	m.breaker.bad[shard] = true
	m.log.Failure("shard", "one shard of the far store does not answer; until it does, clients of other machines whose sessions lie there get full handshakes")
	go m.mend(shard)
}

func (m *machine) mend(shard int) {
	for m.sleep(mendEvery) {
		ops := make([]far.Op, 1)
		if key, there := m.keyOn(shard); there { // another shard has what it had, perhaps
			ops[0].Key = key
			m.far.Do(ops)
		}
		if ops[0].Err == nil {
			m.breaker.mu.Lock()
			delete(m.breaker.bad, shard)
			m.breaker.mu.Unlock()
			m.outbox.release()
			return
		}
	}
}

// keyOn is a key of a shard, which nobody has.
func (m *machine) keyOn(shard int) (key far.Key, there bool) {
	const tries = 10000 // more than any cluster has shards
	for range tries {
		if rand.Read(key[:]); m.far.Shard(&key) == shard {
			return key, true
		}
	}
	return key, false
}

// askShard has operations done of requests that wait for them, of one shard, or -1 for those of several, and calls done then.
func (m *machine) askShard(shard int, ops []far.Op, requests []window.Request, done func()) {
	if shard >= 0 {
		m.breaker.begin(shard, requests)
	}
	m.far.Ask(ops, func() {
		m.note(ops)
		if shard >= 0 {
			m.breaker.end(shard, requests)
		}
		done()
	})
}

// note looks for shards that did not answer.
func (m *machine) note(ops []far.Op) {
	for i := range ops {
		if err := ops[i].Err; (err == far.ErrLost || err == far.ErrAway) && m.up.Load() {
			if shard := m.far.Shard(&ops[i].Key); shard >= 0 {
				m.breaker.mu.Lock()
				m.isolate(shard)
				m.breaker.mu.Unlock()
			}
		}
	}
}
