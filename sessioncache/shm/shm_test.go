package sessioncache

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestHeader(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m []byte) []byte
		want   error
	}{
		{"good", func(m []byte) []byte { return m }, nil},
		{"empty", func(m []byte) []byte { return nil }, ErrNotOurs},
		{"short", func(m []byte) []byte { return m[:headerSize-1] }, ErrNotOurs},
		{"zero", func(m []byte) []byte { clear(m); return m }, ErrNotOurs},
		{"magic", func(m []byte) []byte { m[7]++; sumHeader(m); return m }, ErrNotOurs},
		{"line ends changed", func(m []byte) []byte { m[6], m[7] = '\n', 0; sumHeader(m); return m }, ErrNotOurs},
		{"version", func(m []byte) []byte { m[headerVersionAt]++; sumHeader(m); return m }, ErrVersion},
		{"version, no sum", func(m []byte) []byte { m[headerVersionAt]++; return m }, ErrVersion},
		{"created", func(m []byte) []byte { m[headerCreatedAt]++; return m }, ErrDamaged},
		{"id", func(m []byte) []byte { m[headerIDAt]++; return m }, ErrDamaged},
		{"sum", func(m []byte) []byte { m[headerSumAt]++; return m }, ErrDamaged},
		{"header size", func(m []byte) []byte { m[headerSizeAt]++; sumHeader(m); return m }, ErrDamaged},
		{"total", func(m []byte) []byte { m[headerTotalAt]++; sumHeader(m); return m }, ErrDamaged},
		{"cut off", func(m []byte) []byte { return m[:MinSize-4096] }, ErrDamaged},
		{"too small", func(m []byte) []byte { m = m[:MinSize/2]; makeHeader(m); return m }, ErrDamaged},
		{"unaligned", func([]byte) []byte {
			m := newMapping(MinSize + 8)[4 : MinSize+4]
			makeHeader(m)
			return m
		}, ErrDamaged},
	} {
		m := test.change(newMapping(MinSize))
		if _, err := OpenShm(m); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, err := OpenShmReadOnly(m); !errors.Is(err, test.want) {
			t.Errorf("%s, read only: %v", test.name, err)
		}
	}
}

// TestGeometry looks at many sizes: every set must lie within the store, with room
// for the largest session.
func TestGeometry(t *testing.T) {
	for size := MinSize; size < 8<<20; size += 37 * 1024 {
		m, err := openMap(newMapping(size))
		if err != nil {
			t.Fatal(err)
		}
		last := setsAt + m.sets*m.setSize
		if last > len(m.w) || len(m.w)-last > m.sets*setHeaderSize {
			t.Errorf("%d: the sets end at word %d of %d", size, last, len(m.w))
		}
		if m.data(0)+m.units != m.setSize || m.setSize%setHeaderSize != 0 {
			t.Errorf("%d: a set of %d words, data to %d", size, m.setSize, m.data(0)+m.units)
		}
		if store := (Shm{shmMap: m}); store.most(largeUnits+1) < unitsOf(MaxDER+sealedExtra) ||
			m.units >= 1<<metaStartBits || m.slots >= 1<<16 {
			t.Errorf("%d: %d units, %d slots", size, m.units, m.slots)
		}
	}
}

func TestMeta(t *testing.T) {
	for _, test := range []struct {
		start, length int
		generation    uint64
	}{{0, 1, 0}, {1<<16 - 1, maxSealed, 1<<31 - 1}, {7, 177, 1 << 40}} {
		meta := makeMeta(test.start, test.length, test.generation)
		if metaStart(meta) != test.start || metaLength(meta) != test.length {
			t.Errorf("%+v: start %d, length %d", test, metaStart(meta), metaLength(meta))
		}
	}
	if makeMeta(1, 1, 1) == makeMeta(1, 1, 2) {
		t.Error("generations look the same")
	}
}

// setKey is the n-th lookup key of the first set.
func setKey(n int) *LookupKey {
	var key LookupKey
	binary.LittleEndian.PutUint64(key[:], uint64(n)+1)
	return &key
}

// TestLRU compares a set with a list: entries of one size leave in the order of
// their last use.
func TestLRU(t *testing.T) {
	for _, test := range []struct {
		size  int
		clock uint64
	}{
		{184, 0},            // the data is full first
		{100, 0},            // the slots are
		{184, 1<<32 - 2000}, // the stamps wrap
	} {
		s := openShm(t, newMapping(MinSize))
		s.store(setsAt+setClock, test.clock)
		rng := rand.New(rand.NewPCG(1, test.clock))
		sealed := make([]byte, test.size)
		room := min(s.slots, s.units/unitsOf(len(sealed)))
		var order []int // from the least recently used
		var e Entry
		for n := range 3 * room {
			if len(order) == room {
				order = order[1:]
			}
			if err := s.Put(setKey(n), sealed, 2, 1); err != nil {
				t.Fatal(err)
			}
			order = append(order, n)
			s.Find(setKey(n), &e) // else it counts as older than it is
			for range rng.IntN(3) {
				i := rng.IntN(len(order))
				if !s.Find(setKey(order[i]), &e) {
					t.Fatalf("after %d: entry %d, number %d of %d, is gone", n, order[i], i, len(order))
				}
				order = append(append(order[:i:i], order[i+1:]...), order[i])
			}
		}
		if st := s.Stats(); st.Entries != uint64(room) || st.Total.Evictions != uint64(2*room) {
			t.Errorf("%d entries, %d evictions", st.Entries, st.Total.Evictions)
		}
		for _, n := range order {
			if !s.Find(setKey(n), &e) {
				t.Errorf("entry %d is gone", n)
			}
		}
		checkStore(t, s)
	}
}

// TestGeneration replaces an entry by one at the same place: a reader must see that
// it is another one.
func TestGeneration(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	var before, after Entry
	for _, e := range []*Entry{&before, &after} {
		if err := s.Put(setKey(1), make([]byte, 100), 1, 1); err != nil || !s.Find(setKey(1), e) {
			t.Fatalf("not stored: %v", err)
		}
	}
	if before.slot != after.slot || metaStart(before.meta) != metaStart(after.meta) {
		t.Fatal("it is at another place")
	}
	if before.meta == after.meta || s.Drop(&before) || !s.Drop(&after) || s.Drop(&after) {
		t.Error("it looks the same")
	}
	if _, changed := s.fetch(setsAt, 0, 1, &after); changed {
		t.Error("found what was dropped")
	}
	s.Put(setKey(1), make([]byte, 100), 1, 1)
	if found, changed := s.fetch(setsAt, after.slot-s.metas(setsAt), tagOf(setKey(2)), &after); found || !changed {
		t.Error("found an entry of another key")
	}
}

// TestDamagedDescriptors writes what no writer would, and lets a Put clear it up.
func TestDamagedDescriptors(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	var e Entry
	for n := range 10 {
		if err := s.Put(setKey(n), make([]byte, 100), 2, 1); err != nil {
			t.Fatal(err)
		}
	}
	at := s.metas(setsAt)
	first, second := 5, 6 // neighbours in the order of slots as well as of places
	if metaStart(s.load(at+first)) > metaStart(s.load(at+second)) {
		first, second = second, first
	}
	s.store(at+0, makeMeta(0, 0, 1))
	s.store(at+1, makeMeta(s.units-1, 9, 1))
	s.store(at+2, ^uint64(0))
	s.store(at+3, s.load(at+4))
	s.store(at+second, makeMeta(metaStart(s.load(at+first))+1, 100, 1))
	for n := range 3 {
		if s.Find(setKey(n), &e) {
			t.Errorf("found entry %d", n)
		}
	}
	if err := s.Put(setKey(10), make([]byte, 100), 2, 1); err != nil {
		t.Fatal(err)
	}
	checkStore(t, s)
	if st := s.Stats(); st.Total.Errors != 5 || st.Entries != 6 {
		t.Errorf("stats: %+v", st)
	}
}

// TestExpiredFirst fills a set with some entries whose time is soon over: they make
// way before older ones whose time is not.
func TestExpiredFirst(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	sealed := make([]byte, 184)
	room := min(s.slots, s.units/unitsOf(len(sealed)))
	expires := func(n int) uint32 {
		if n%3 == 1 {
			return 10
		}
		return 100
	}
	for n := range room {
		if err := s.Put(setKey(n), sealed, expires(n), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(setKey(room), sealed, 100, 11); err != nil {
		t.Fatal(err)
	}
	var e Entry
	expired := uint64(0)
	for n := range room + 1 {
		gone := n < room && expires(n) == 10
		if gone {
			expired++
		}
		if s.Find(setKey(n), &e) == gone {
			t.Errorf("entry %d is there: %v", n, !gone)
		}
	}
	if got := s.Stats().Total; got.Expiries != expired || got.Evictions != 0 {
		t.Errorf("counters: %+v", got)
	}
}

// TestWindow compares the neighbours that make way with all that could.
func TestWindow(t *testing.T) {
	const units = 1000
	rng := rand.New(rand.NewPCG(2, 0))
	for range 3000 {
		p := newPlan(100, units)
		p.reset()
		clock := rng.Uint32()
		for slot, at := 0, rng.IntN(20); slot < 100; slot++ {
			length := 1 + rng.IntN(30*wordSize)
			if at+unitsOf(length) > units {
				break
			}
			p.add(slot, makeMeta(at, length, 0), clock-rng.Uint32N(1000))
			at += unitsOf(length) + max(0, rng.IntN(20)-10)
		}
		need := 1 + rng.IntN(units)
		if overlapping := p.sort(clock, need, units); len(overlapping) > 0 {
			t.Fatal("overlapping entries")
		}
		smallest, best := units+1, int64(-1)
		for i := 1; i < len(p.live); i++ {
			if gap := p.room(i, i-1); gap >= need {
				smallest = min(smallest, gap)
			}
			age := int64(1) << 40
			for j := i; j < len(p.live)-1; j++ {
				age = min(age, int64(p.live[j].age))
				if p.room(i, j) >= need {
					best = max(best, age)
				}
			}
		}
		if smallest <= units {
			for i := 1; i < len(p.live); i++ {
				if int(p.live[i-1].end) == p.gap && p.room(i, i-1) != smallest {
					t.Fatalf("a gap of %d units, %d would do", p.room(i, i-1), smallest)
				}
			}
		}
		if (p.gap >= 0) != (smallest <= units) {
			t.Fatalf("gap at %d, the smallest is %d", p.gap, smallest)
		}
		if p.oldest == 0 {
			continue
		}
		first, last := p.window(need)
		age := int64(1) << 40
		for _, e := range p.live[first : last+1] {
			age = min(age, int64(e.age))
		}
		if p.room(first, last) < need || age != best {
			t.Fatalf("entries %d to %d: room %d for %d, age %d, best %d", first, last, p.room(first, last), need, age, best)
		}
	}
}

// TestSizes puts sessions of all sizes in turn; what was put last is always there,
// and the store stays well used.
func TestSizes(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, nil)
	rng := rand.New(rand.NewPCG(3, 0))
	var used, samples uint64
	for n := range 2600 + 300*thorough {
		size := 100 + rng.IntN(150)
		switch rng.IntN(50) {
		case 0:
			size = 100 + rng.IntN(MaxDER-100+1)
		case 1, 2, 3, 4, 5:
			size = 500 + rng.IntN(3000)
		}
		id := testID(n)
		mustPut(t, c, originA, id, testDER(id, 7, size), 1<<32-2)
		mustGet(t, c, originA, id, testDER(id, 7, size))
		if n%500 == 499 {
			for i := range n {
				if der, _, ok := c.Get(originA, testID(i), nil); ok {
					checkDER(t, testID(i), der)
				}
			}
			checkStore(t, s)
		}
		if n > 2500 { // the store is full
			st := s.Stats()
			used += st.Used * 100 / st.Capacity
			samples++
		}
	}
	t.Logf("%d %% of the data is used", used/samples)
	if used/samples < 70 {
		t.Errorf("%d %% of the data is used", used/samples)
	}
	if got := s.Stats().Total; got.Errors != 0 || got.TooBig != 0 {
		t.Errorf("counters: %+v", got)
	}
}

// TestLargeAmongSmall puts one large session into full sets: it costs its own size
// in small ones, not the whole set.
func TestLargeAmongSmall(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, nil)
	for i := range 6000 {
		mustPut(t, c, originA, testID(i), testDER(testID(i), 0, ordinaryDER), 1<<32-2)
	}
	before := s.Stats()
	mustPut(t, c, originA, testID(-1), testDER(testID(-1), 0, 1800), 1<<32-2)
	if n := s.Stats().Total.Evictions - before.Total.Evictions; n < 1 || n > 11 {
		t.Errorf("1800 bytes cost %d sessions of %d", n, ordinaryDER)
	}
}

func TestConcurrentStoresStats(t *testing.T) {
	mapping := newMapping(MinSize)
	a, b := openShm(t, mapping), openShm(t, mapping)
	a.Count(Hits)
	b.Count(Hits)
	b.Count(TooBig)
	st := a.Stats()
	if st.Total != (Counters{Hits: 2, TooBig: 1}) || st.Size != MinSize || st.Created != 1700000000 {
		t.Errorf("stats: %+v", st)
	}
	if len(st.Workers) != 1 || st.Workers[0].PID != os.Getpid() || !st.Workers[0].Live || st.Workers[0].Started == 0 {
		t.Errorf("workers: %+v", st.Workers)
	}
}

// deadPID is the pid of a process that has been.
func deadPID(t testing.TB) uint64 {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return uint64(cmd.Process.Pid)
}

// TestWorkerSlots fills all slots and takes them over.
func TestWorkerSlots(t *testing.T) {
	mapping := newMapping(MinSize)
	m, err := openMap(mapping)
	if err != nil {
		t.Fatal(err)
	}
	count := func(at int) { m.add(at+workerCounts+int(Hits), 1) }
	live, dead := uint64(os.Getppid()), deadPID(t)
	if alive(0) || !alive(1) || !alive(live) || alive(dead) || alive(1<<31) || alive(1<<32+1) {
		t.Error("alive is wrong")
	}

	claimed := map[int]bool{}
	for i := range workerSlots {
		at := m.claimWorker(live+uint64(i)<<40, 1) // pids that nobody has
		claimed[at] = true
		m.store(at+workerPID, live)
		count(at)
	}
	if len(claimed) != workerSlots {
		t.Fatalf("%d slots were claimed", len(claimed))
	}
	// All live: one is shared, and nothing is lost.
	me := uint64(os.Getpid())
	count(m.claimWorker(me, 1))
	if total, known := m.workers(); total.Hits != workerSlots+1 || len(known) != workerSlots {
		t.Errorf("%d hits of %d workers", total.Hits, len(known))
	}
	// A dead one's slot is taken, and its counts stay in the total.
	at := workersAt + 5*workerSize
	m.store(at+workerPID, dead)
	m.store(at+workerCounts+int(Hits), 100)
	before, _ := m.workers()
	if got := m.claimWorker(me, 42); got != at {
		t.Errorf("slot at word %d, not the dead worker's at %d", got, at)
	}
	count(at)
	total, known := m.workers()
	if total.Hits != before.Hits+1 {
		t.Errorf("%d hits, then %d", before.Hits, total.Hits)
	}
	want := Worker{PID: int(me), Started: 42, Live: true, Counters: Counters{Hits: 1}}
	if known[5] != want {
		t.Errorf("worker: %+v", known[5])
	}
	// A predecessor of the same pid, in a container say.
	if got := m.claimWorker(me, 43); got != at {
		t.Errorf("slot at word %d, not the own one at %d", got, at)
	}
	if _, known := m.workers(); known[5].Counters.Hits != 0 {
		t.Errorf("worker: %+v", known[5])
	}
}

// mapFile maps a file.
func mapFile(t testing.TB, path string, size, prot int) []byte {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	mapping, err := syscall.Mmap(int(f.Fd()), 0, size, prot, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(mapping) })
	return mapping
}

// TestReadOnly reads the statistics through a mapping in which a write is a crash.
func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	mapping := mapFile(t, path, MinSize, syscall.PROT_READ|syscall.PROT_WRITE)
	makeHeader(mapping)
	s := openShm(t, mapping)
	c := testCache(t, s, nil)
	mustPut(t, c, originA, testID(1), []byte("der"), 1<<32-2)
	mustGet(t, c, originA, testID(1), []byte("der"))
	r, err := OpenShmReadOnly(mapFile(t, path, MinSize, syscall.PROT_READ))
	if err != nil {
		t.Fatal(err)
	}
	got, want := r.Stats(), s.Stats()
	if got.Total != want.Total || got.Entries != 1 || got.Used != 48 || len(got.Workers) != 1 || got.Workers[0] != want.Workers[0] {
		t.Errorf("from outside %+v, from inside %+v", got, want)
	}
}
