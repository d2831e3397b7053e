package sessioncache

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var (
	originA = Origin{Owner: [32]byte{'a'}, Terms: [32]byte{'a'}, ServerName: "a.example"}
	originB = Origin{Owner: [32]byte{'a'}, Terms: [32]byte{'b'}, ServerName: "a.example"}
)

// newCache is a cache over a small store, checked when the test ends.
func newCache(t testing.TB, now *int64, keys ...[]byte) (*Cache, *Shm) {
	t.Helper()
	s := openShm(t, newMapping(MinSize))
	t.Cleanup(func() { checkStore(t, s) })
	return testCache(t, s, now, keys...), s
}

func TestPutGet(t *testing.T) {
	now := int64(testNow)
	c, _ := newCache(t, &now)
	id := testID(1)
	mustMiss(t, c, originA, id)
	mustPut(t, c, originA, id, []byte("one"), now+10)
	mustGet(t, c, originA, id, []byte("one"))
	mustPut(t, c, originA, id, []byte("other"), now+10)
	mustGet(t, c, originA, id, []byte("other"))

	got, stored, ok := c.Get(originA, id, []byte("before "))
	if !ok || string(got) != "before other" || stored.Expires != now+10 {
		t.Errorf("Get appended to dst: %q, expires %d", got, stored.Expires)
	}
	if st := c.Stats(); st.Entries != 1 || st.Total != (Counters{Hits: 3, Misses: 1, Stores: 2}) {
		t.Errorf("stats: %+v", st)
	}
}

func TestIsolation(t *testing.T) {
	now := int64(testNow)
	c, _ := newCache(t, &now)
	id := testID(1)
	mustPut(t, c, originA, id, []byte("a"), now+10)

	mustMiss(t, c, originB, id)
	mustMiss(t, c, originA, id[:31])
	mustMiss(t, c, originA, testID(2))
	for name, same := range map[string]bool{
		"a.example": true, "A.EXAMPLE": true, "a.Example": true,
		"": true, "a.exampl": false, "a.example.": false, "b.example": false, "a\x0eexample": false,
	} {
		o := originA
		o.ServerName = name
		if same {
			mustGet(t, c, o, id, []byte("a"))
		} else {
			mustMiss(t, c, o, id)
		}
	}
	// A miss for its name or terms has left the entry where it is. Another owner with the same
	// terms has it too: a reloaded server, say.
	mustGet(t, c, Origin{Terms: originA.Terms, ServerName: originA.ServerName}, id, []byte("a"))

	// None is no other name, but never makes other terms the same.
	nameless := Origin{Terms: originA.Terms}
	mustPut(t, c, nameless, id, []byte("c"), now+10)
	mustGet(t, c, nameless, id, []byte("c"))
	mustGet(t, c, originA, id, []byte("c"))
	mustMiss(t, c, originB, id)
	mustMiss(t, c, Origin{}, id)
	if st := c.Stats(); st.Total.Errors != 0 || st.Entries != 1 {
		t.Errorf("stats: %+v", st)
	}
}

func TestExpiry(t *testing.T) {
	now := int64(testNow)
	c, _ := newCache(t, &now)
	id := testID(1)
	mustPut(t, c, originA, id, []byte("a"), now+10)
	now += 10
	mustGet(t, c, originA, id, []byte("a")) // L32: over when now > expires
	now++
	mustMiss(t, c, originA, id)
	if st := c.Stats(); st.Entries != 0 || st.Total.Expiries != 1 {
		t.Errorf("stats: %+v", st)
	}
	now--
	mustMiss(t, c, originA, id)

	if _, err := c.Put(originA, Session{ID: id, DER: []byte("a"), Expires: now - 1}); err != ErrExpired {
		t.Errorf("Put of an expired session: %v", err)
	}
	if _, err := c.Put(originA, Session{ID: id, DER: []byte("a"), Expires: -1}); err != ErrExpired {
		t.Errorf("Put of a session from before 1970: %v", err)
	}
	mustPut(t, c, originA, id, []byte("a"), 1<<40) // past 2106: kept until then
	mustGet(t, c, originA, id, []byte("a"))
}

func TestPutRefuses(t *testing.T) {
	now := int64(testNow)
	c, _ := newCache(t, &now)
	der := []byte("der")
	for _, test := range []struct {
		name    string
		session Session
		want    error
	}{
		{"no id", Session{DER: der, Expires: now}, ErrInvalid},
		{"long id", Session{ID: make([]byte, MaxID+1), DER: der, Expires: now}, ErrInvalid},
		{"no bytes", Session{ID: testID(1), Expires: now}, ErrInvalid},
		{"too big", Session{ID: testID(1), DER: make([]byte, MaxDER+1), Expires: now}, ErrTooBig},
		{"expired", Session{ID: testID(1), DER: der, Expires: now - 1}, ErrExpired},
		{"largest", Session{ID: testID(1), DER: make([]byte, MaxDER), Expires: now}, nil},
		{"smallest", Session{ID: []byte{0}, DER: []byte{0}, Expires: now}, nil},
	} {
		if _, err := c.Put(originA, test.session); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	mustMiss(t, c, originA, nil)
	mustMiss(t, c, originA, make([]byte, MaxID+1))
	want := Counters{Misses: 2, Stores: 2, Expiries: 1, TooBig: 1, Errors: 3}
	if got := c.Stats().Total; got != want {
		t.Errorf("counters: %+v", got)
	}
}

func TestRemove(t *testing.T) {
	now := int64(testNow)
	c, _ := newCache(t, &now)
	id := testID(1)
	yes := func([]byte, Seal) bool { return true }
	if c.Remove(id, yes) || c.Has(originA.Owner, id, yes) {
		t.Error("removed what was not there")
	}
	mustPut(t, c, originA, id, []byte("a"), now)
	// L15: somebody else's session under an id that he saw.
	if c.Remove(id, func(der []byte, _ Seal) bool { return string(der) == "b" }) {
		t.Error("removed another session")
	}
	for _, want := range []string{"a", "b"} {
		if has := c.Has(originA.Owner, id, func(der []byte, _ Seal) bool { return string(der) == want }); has != (want == "a") {
			t.Errorf("has %q: %v", want, has)
		}
	}
	if c.Has([32]byte{'c'}, id, yes) {
		t.Error("another owner has it")
	}
	mustGet(t, c, originA, id, []byte("a"))
	if !c.Remove(id, func(der []byte, _ Seal) bool { return string(der) == "a" }) {
		t.Error("did not remove")
	}
	mustMiss(t, c, originA, id)
	if got := c.Stats().Total; got.Removals != 1 || got.Errors != 0 {
		t.Errorf("counters: %+v", got)
	}
}

func TestKeys(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	for _, keys := range [][][]byte{nil, {}, {nil}, {make([]byte, 31)}, {testKey(1), make([]byte, 33)}} {
		if _, err := New(s, keys); err != ErrKeys {
			t.Errorf("New with keys %v: %v", keys, err)
		}
	}
}

func TestRotation(t *testing.T) {
	now := int64(testNow)
	before, s := newCache(t, &now, testKey(1))
	after := testCache(t, s, &now, testKey(2), testKey(1))
	later := testCache(t, s, &now, testKey(2))
	id := testID(1)

	mustPut(t, before, originA, id, []byte("before"), now)
	mustGet(t, after, originA, id, []byte("before"))
	mustMiss(t, later, originA, id)

	mustPut(t, after, originA, id, []byte("after"), now)
	mustGet(t, after, originA, id, []byte("after"))
	mustGet(t, later, originA, id, []byte("after"))
	mustMiss(t, before, originA, id) // else it came back after an eviction

	// A removal reaches the entries of all keys.
	mustPut(t, before, originA, id, []byte("before"), now)
	if !after.Remove(id, func([]byte, Seal) bool { return true }) {
		t.Error("did not remove")
	}
	mustMiss(t, before, originA, id)
	mustMiss(t, after, originA, id)
	if got := s.Stats().Total; got.Errors != 0 || got.Removals != 1 {
		t.Errorf("counters: %+v", got)
	}
}

// slotOf returns the position of the meta word of an entry.
func slotOf(t *testing.T, c *Cache, s *Shm, o Origin, id []byte) (set, slot int) {
	t.Helper()
	w := c.begin()
	defer c.end(w)
	w.lookup(0, id)
	if !s.Find(&w.key, &w.entry) {
		t.Fatal("no entry")
	}
	set = s.setOf(&w.key)
	return set, w.entry.slot - s.metas(set)
}

// TestForged does what somebody can who may write to the store but has no key.
func TestForged(t *testing.T) {
	now := int64(testNow)
	one, two := testID(1), testID(2)
	for name, forge := range map[string]func(c *Cache, s *Shm){
		"prolonged": func(c *Cache, s *Shm) {
			set, slot := slotOf(t, c, s, originA, one)
			s.add(s.times(set)+slot, 1<<32)
		},
		"passed off as another": func(c *Cache, s *Shm) {
			set1, slot1 := slotOf(t, c, s, originA, one)
			set2, slot2 := slotOf(t, c, s, originA, two)
			from, to := s.load(s.metas(set2)+slot2), s.load(s.metas(set1)+slot1)
			s.write(s.data(set1)+metaStart(to), s.read(nil, s.data(set2)+metaStart(from), metaLength(from)))
		},
		"a byte changed": func(c *Cache, s *Shm) {
			set, slot := slotOf(t, c, s, originA, one)
			s.add(s.data(set)+metaStart(s.load(s.metas(set)+slot))+4, 1)
		},
		"another owner's": func(c *Cache, s *Shm) {
			set, slot := slotOf(t, c, s, originA, one)
			s.add(s.data(set)+metaStart(s.load(s.metas(set)+slot)), 1)
		},
		"another length": func(c *Cache, s *Shm) {
			set, slot := slotOf(t, c, s, originA, one)
			s.add(s.metas(set)+slot, ^uint64(0))
		},
		"next to no length": func(c *Cache, s *Shm) {
			set, slot := slotOf(t, c, s, originA, one)
			s.store(s.metas(set)+slot, makeMeta(0, 1, 0))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := newCache(t, &now)
			mustPut(t, c, originA, one, []byte("one"), now)
			mustPut(t, c, originA, two, []byte("two"), now)
			forge(c, s)
			mustMiss(t, c, originA, one)
			if st := c.Stats(); st.Total.Errors != 1 || st.Entries != 1 {
				t.Errorf("stats: %+v", st)
			}
			mustGet(t, c, originA, two, []byte("two"))
			mustPut(t, c, originA, one, []byte("again"), now)
			mustGet(t, c, originA, one, []byte("again"))
		})
	}
}

// TestNothingInTheClear looks for what must not leave the process.
func TestNothingInTheClear(t *testing.T) {
	mapping := newMapping(MinSize)
	c := testCache(t, openShm(t, mapping), nil)
	o := Origin{
		Owner: [32]byte(bytes.Repeat([]byte("OWNER..!"), 4)), Terms: [32]byte(bytes.Repeat([]byte("TERMS..!"), 4)),
		ServerName: "secret.example.org",
	}
	id := []byte("the id of the session, 32 bytes.")
	der := []byte(strings.Repeat("the master secret ", 8))
	mustPut(t, c, o, id, der, 1<<32-2)
	c.Learn(o.Owner, o.ServerName, o.Terms)
	for _, secret := range [][]byte{o.Owner[:8], o.Terms[:8], []byte("secret.e"), id[:8], der[:8], testKey(1)[:8]} {
		if bytes.Contains(mapping, secret) {
			t.Errorf("the mapping holds %q", secret)
		}
	}
	mustGet(t, c, o, id, der)
	w := c.begin()
	defer c.end(w)
	for _, buffer := range [][]byte{w.text, w.entry.Sealed} {
		if bytes.Contains(buffer[:cap(buffer)], der[:8]) {
			t.Error("scratch memory keeps the session")
		}
	}
}

// TestNonces seals the same session often and in several processes' names.
func TestNonces(t *testing.T) {
	k, err := newSealingKey(testKey(1), StoreID{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	w := newWork([]*sealingKey{k})
	for range 2 * knownMax {
		s, err := newSealer(k)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.text = append(w.text[:0], "der"...)
			if err := s.seal(w, tag{}, 1); err != nil {
				t.Fatal(err)
			}
			if seal := string(w.entry.Sealed[tagSize:sealedHead]); seen[seal] {
				t.Fatal("a nonce came twice")
			} else {
				seen[seal] = true
			}
		}
		w.entry.Expires = 1
		if der := k.open(w); string(der) != "der" {
			t.Fatal("does not open")
		}
	}
	if n := len(*k.known.Load()); n != knownMax {
		t.Errorf("%d derived keys are kept", n)
	}

	s, _ := newSealer(k)
	s.run.Load().counter.Store(1<<(8*counterSize) - 1)
	if err := s.seal(w, tag{}, 1); err != ErrCounter {
		t.Errorf("after the last count: %v", err)
	}
}

// TestUnknownPrefix opens what a process sealed whose derived key is not kept.
func TestUnknownPrefix(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	for n := range knownMax + 10 {
		mustPut(t, testCache(t, s, &now), originA, testID(n), testDER(testID(n), 0, ordinaryDER), now)
	}
	for range 2 {
		for n := range knownMax + 10 {
			mustGet(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER))
		}
	}
}

func TestCountersOf(t *testing.T) {
	var values [counterCount]uint64
	for i := range values {
		values[i] = uint64(i) + 1
	}
	got := reflect.ValueOf(countersOf(values))
	if got.NumField() != int(counterCount) {
		t.Fatalf("%d fields", got.NumField())
	}
	for i := range got.NumField() {
		if got.Field(i).Uint() != uint64(i)+1 {
			t.Errorf("%s is not counter %d", got.Type().Field(i).Name, i)
		}
	}
}
