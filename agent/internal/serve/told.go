package serve

import "gosess/sessioncache"

// told is what the far store was told of as stored, since the log of the fleet was last begun to be read that was read to its end: what another machine had
// removed by then, this one has heard of.
type told struct{ since, before some }

// some are keys: of too many it is all.
type some struct {
	keys map[sessioncache.LookupKey]struct{}
	all  bool
}

// mostTold is some 4 MB: more than an agent tells between two looks at the log.
const mostTold = 1 << 16

func newTold() told {
	return told{some{keys: map[sessioncache.LookupKey]struct{}{}}, some{keys: map[sessioncache.LookupKey]struct{}{}}}
}

func (t *told) add(key sessioncache.LookupKey) {
	if len(t.since.keys) == mostTold {
		t.since.all = true
		clear(t.since.keys)
	}
	if !t.since.all {
		t.since.keys[key] = struct{}{}
	}
}

// The goroutine that follows the log calls begin before it reads, and end when it has read to the end of the log.
func (t *told) begin() {
	if len(t.before.keys) == 0 && !t.before.all {
		t.since, t.before = t.before, t.since
		return
	}
	for key := range t.since.keys { // the log could not be read meanwhile
		t.before.keys[key] = struct{}{}
	}
	if t.before.all = t.before.all || t.since.all || len(t.before.keys) > mostTold; t.before.all {
		clear(t.before.keys)
	}
	t.since.forget()
}

func (t *told) end() { t.before.forget() }

func (s *some) forget() {
	s.all = false
	clear(s.keys)
}

// take reports whether a key is one of these, and takes it out.
func (t *told) take(key sessioncache.LookupKey) bool {
	_, since := t.since.keys[key]
	_, before := t.before.keys[key]
	delete(t.since.keys, key)
	delete(t.before.keys, key)
	return since || before || t.since.all || t.before.all
}
