package shm

import "testing"

// Under pressure what was spent makes way, and what nobody has come back with stays.
func TestSpentEntriesMakeWay(t *testing.T) {
	now := int64(testNow)
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, &now)
	put := func(n int) { mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now+100) }
	room := s.sets * setSlots
	held := room / 2 // far from full in every set
	for n := range held {
		put(n)
	}
	for n := range held {
		use := c.Get
		if n%2 == 0 {
			use = c.Spend
		}
		if _, _, ok := use(ctx, originA, testID(n), nil); !ok {
			t.Fatalf("session %d is not found", n)
		}
	}
	for n := held; n < room+room/10; n++ { // full, and a little more
		put(n)
	}
	var spent, others int
	for n := range held {
		if _, _, ok := c.Get(ctx, originA, testID(n), nil); !ok && n%2 == 0 {
			spent++
		} else if !ok {
			others++
		}
	}
	if spent < room/20 || others > spent/20 { // sets are not filled alike
		t.Errorf("of %d sessions %d that were spent have made way, and %d others", held, spent, others)
	}
	mustGet(t, c, originA, testID(room), testDER(testID(room), 0, ordinaryDER))
}

// A client that uses one ticket again and again keeps it, whatever else is stored.
func TestSpentEntryThatIsUsedAgainStays(t *testing.T) {
	now := int64(testNow)
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, &now)
	mustPut(t, c, originA, testID(0), testDER(testID(0), 0, ordinaryDER), now+100)
	for n := 1; n < 5*s.sets*setSlots; n++ {
		if _, _, ok := c.Spend(ctx, originA, testID(0), nil); !ok {
			t.Fatalf("it is gone after %d others", n)
		}
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now+100)
	}
}
