package shm

import (
	"bytes"
	"testing"

	"gosess/sessioncache"
)

// sealedOf returns the bytes of an entry as they lie in the store.
func sealedOf(t *testing.T, s *Store, id []byte) []byte {
	t.Helper()
	set, at := slotOf(t, s, id)
	slot := s.load(at)
	return s.readEntry(nil, s.data(set)+slotStart(slot), slotLength(slot))
}

// left counts the words of an entry that are in a mapping. All of a process begin alike.
func left(mapping, sealed []byte) (n int) {
	for at := len(sessioncache.Seal{}); at+wordSize <= len(sealed); at += wordSize {
		if bytes.Contains(mapping, sealed[at:at+wordSize]) {
			n++
		}
	}
	return n
}

// TestGoneEntriesAreZeroed lets an entry go in every way that there is: nothing of it stays.
func TestGoneEntriesAreZeroed(t *testing.T) {
	yes := func([]byte, sessioncache.Seal) bool { return true }
	for name, end := range map[string]func(sc *scene, id []byte){
		"removed": func(sc *scene, id []byte) { sc.c.Remove(ctx, id, yes) },
		"taken":   func(sc *scene, id []byte) { sc.c.Take(ctx, originA, id, nil) },
		"expired, looked up": func(sc *scene, id []byte) {
			sc.now += 101
			sc.c.Get(ctx, originA, id, nil)
		},
		"expired, written to": func(sc *scene, id []byte) {
			sc.now += 101
			mustPut(sc.t, sc.c, originA, sc.ids[2], []byte("new"), sc.now+100)
		},
		"damaged": func(sc *scene, id []byte) {
			_, at := slotOf(sc.t, sc.s, id)
			sc.s.add(at+ofSlot, 1<<32)
			sc.c.Get(ctx, originA, id, nil)
		},
		"flushed":  func(sc *scene, id []byte) { sc.c.Flush(ctx, originA.Owner, 0) },
		"replaced": func(sc *scene, id []byte) { mustPut(sc.t, sc.c, originA, id, []byte("new"), sc.now+100) },
		"evicted": func(sc *scene, id []byte) {
			for n := 0; n < 80*len(sc.ids); n++ {
				if id := testID(-1 - n); sc.inSet(id) {
					mustPut(sc.t, sc.c, originA, id, testDER(id, 0, 100+n%90), sc.now+100)
				}
			}
		},
		"evicted by large ones": func(sc *scene, id []byte) {
			for n, large := -1, 0; large < 4; n-- {
				if id := testID(n); sc.inSet(id) {
					mustPut(sc.t, sc.c, originA, id, testDER(id, 0, sessioncache.MaxDER), sc.now+100)
					sc.c.Get(ctx, originA, id, nil) // else the next one takes its place
					large++
				}
			}
		},
		"dropped while another writes": func(sc *scene, id []byte) {
			sc.s.store(sceneSet+setLock, sc.s.pid<<32|1)
			sc.c.Remove(ctx, id, yes)
			sc.s.store(sceneSet+setLock, 0)
			mustPut(sc.t, sc.c, originA, sc.ids[2], []byte("new"), sc.now+100)
		},
	} {
		t.Run(name, func(t *testing.T) {
			sc := newScene(t)
			id := sc.ids[1]
			if name == "evicted by large ones" { // as they evict only what lies in their part
				mustPut(t, sc.c, originA, id, testDER(id, 0, 2500), sc.now+100)
			}
			sealed := sealedOf(t, sc.s, id)
			if n := left(sc.mapping, sealed); n != len(sealed)/wordSize-2 {
				t.Fatalf("%d words are there before", n)
			}
			end(sc, id)
			if _, _, ok := sc.c.Get(ctx, originA, id, nil); ok && name != "replaced" {
				t.Error("it is not gone")
			}
			if n := left(sc.mapping, sealed); n > 0 {
				t.Errorf("%d words are left", n)
			}
			checkStore(t, sc.s)
			checkZero(t, sc.s)
		})
	}
}
