package sessioncache

import (
	"sync"
	"sync/atomic"
	"testing"
)

const testNow = 1700000000

// handClocks are clocks that a test moves.
type handClocks struct{ wall, monotonic atomic.Int64 }

func (h *handClocks) read() (wall, monotonic int64) { return h.wall.Load(), h.monotonic.Load() }

func (h *handClocks) pass(wall, monotonic int64) {
	h.wall.Add(wall)
	h.monotonic.Add(monotonic)
}

func clockedSealer(t *testing.T, k *sealingKey) (*sealer, *handClocks) {
	t.Helper()
	s, err := newSealer(&k.derivation)
	if err != nil {
		t.Fatal(err)
	}
	clocks := &handClocks{}
	clocks.pass(testNow*1e9, 5e9)
	s.clocks = clocks.read
	s.run.Load().apart = testNow*1e9 - 5e9
	return s, clocks
}

// sealOne seals something under a key and returns its seal.
func sealOne(t *testing.T, s *sealer, k *sealingKey, text string) (seal Seal) {
	t.Helper()
	w := &work{keys: []*sealingKey{k}}
	w.lookup(0, testID(1))
	w.text = append(w.text[:0], text...)
	if err := s.seal(w, Tag{}, 1); err != nil {
		t.Fatal(err)
	}
	seal = sealOf(&w.entry)
	w.entry.Expires = 1
	if plain := k.open(w); string(plain) != text {
		t.Fatal("it does not open")
	}
	return seal
}

// A sealer begins a new run, with another prefix and key, where the clocks have moved against each other: that
// is all that a machine sees which is restored from a snapshot.
func TestClocksMoveApart(t *testing.T) {
	const second = 1e9
	for name, test := range map[string]struct {
		wall, monotonic int64
		same            bool
	}{
		"a day":               {86400 * second, 86400 * second, true},
		"a leap second":       {9 * second, 10 * second, true},
		"restored":            {3600 * second, 0, false},
		"set back":            {-3600 * second, second, false},
		"suspended":           {100 * second, 95 * second, false},
		"restored after boot": {100 * second, -5 * second, false},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := newSealingKey(testKey, StoreID{})
			if err != nil {
				t.Fatal(err)
			}
			s, clocks := clockedSealer(t, k)
			before := sealOne(t, s, k, "one")
			clocks.pass(test.wall, test.monotonic)
			after := sealOne(t, s, k, "two")
			if same := prefix(after[:]) == prefix(before[:]); same != test.same {
				t.Errorf("the same prefix: %v", same)
			}
			clocks.pass(second, second)
			if again := sealOne(t, s, k, "three"); prefix(again[:]) != prefix(after[:]) || again == after {
				t.Error("not the run that has begun, or not the next of it")
			}
		})
	}
}

// Two that are restored from one snapshot do not go on with the same prefix, and where neither
// notices that it was, another id is another nonce.
func TestRestoredTwice(t *testing.T) {
	k, err := newSealingKey(testKey, StoreID{})
	if err != nil {
		t.Fatal(err)
	}
	s, clocks := clockedSealer(t, k)
	sealOne(t, s, k, "one")
	twin, twinClocks := clockedSealer(t, k)
	twin.run.Store(s.run.Load())
	clocks.pass(3600*1e9, 1000)
	twinClocks.pass(3600*1e9, 1001)
	one, other := sealOne(t, s, k, "two"), sealOne(t, twin, k, "two")
	if prefix(one[:]) == prefix(other[:]) {
		t.Error("both have drawn the same prefix")
	}

	w := &work{keys: []*sealingKey{k}}
	counter := make([]byte, counterSize)
	w.lookup(0, testID(1))
	w.number(counter)
	first := w.nonce
	w.lookup(0, testID(2))
	w.number(counter)
	if w.nonce == first {
		t.Error("two ids have the same nonce at one count")
	}
}

// TestClocksMoveUnderThreads has all threads notice at once: each nonce is used once.
func TestClocksMoveUnderThreads(t *testing.T) {
	k, err := newSealingKey(testKey, StoreID{})
	if err != nil {
		t.Fatal(err)
	}
	s, clocks := clockedSealer(t, k)
	const threads, each = 4, 2000
	seals := make([][]Seal, threads)
	var group sync.WaitGroup
	for n := range threads {
		group.Go(func() {
			w := &work{keys: []*sealingKey{k}}
			w.lookup(0, testID(byte(n)))
			for i := range each {
				if i%100 == n {
					clocks.pass(10e9, 0)
				}
				w.text = append(w.text[:0], "text"...)
				if err := s.seal(w, Tag{}, 1); err != nil {
					t.Error(err)
					return
				}
				seals[n] = append(seals[n], sealOf(&w.entry))
			}
		})
	}
	group.Wait()
	seen := map[Seal]bool{}
	for _, all := range seals {
		for _, seal := range all {
			if seen[seal] {
				t.Fatal("a nonce came twice")
			}
			seen[seal] = true
		}
	}
}
