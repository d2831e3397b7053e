package window

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gosess/sessioncache"
)

func TestNews(t *testing.T) {
	w := newWindow(t)
	owner := sessioncache.Tag{1, 2, 3, 4}
	told := []Item{
		{Stored, keyOf(1), 1700000000},
		{Removed, keyOf(2), 0},
		Flush(&owner, 1700000001),
		Flush(nil, 0),
		{Made, keyOf(3), 1<<32 - 1},
	}
	for _, item := range told {
		w.Tell(item)
	}
	agent := again(t, w)
	first, rest := agent.Drain(make([]Item, 0, 2)), agent.Drain(make([]Item, 0, 8))
	got := append(first, rest...)
	if len(first) != 2 || len(got) != len(told) {
		t.Fatalf("%d pieces of news, not 2 and then 3", len(got))
	}
	for i, item := range got {
		if item != told[i] {
			t.Errorf("news %d: %v, not %v", i, item, told[i])
		}
	}
	if o := got[2].Owner(); o == nil || *o != owner {
		t.Errorf("flushed of %v, not of %v", o, owner)
	}
	if o := got[3].Owner(); o != nil {
		t.Errorf("flushed of %v, not of all", o)
	}
	if again := agent.Drain(make([]Item, 0, 8)); len(again) != 0 {
		t.Errorf("%d pieces of news twice", len(again))
	}
	// Nothing was delivered: the next agent reads it once more.
	next := again(t, w)
	if n := len(next.Drain(make([]Item, 0, 8))); n != len(told) {
		t.Errorf("%d pieces of news for the next agent, not %d", n, len(told))
	}
	if !again(t, w).ReadsAgain() || next.ReadsAgain() {
		t.Error("the next agent does not know that it reads again, or until when")
	}
	next.Tell(told[0])
	next = again(t, w)
	if n := len(next.Drain(make([]Item, 0, 8))); n != len(told) || next.ReadsAgain() {
		t.Errorf("%d pieces of news that were read, not %d", n, len(told))
	}
	if n := len(next.Drain(make([]Item, 0, 8))); n != 1 {
		t.Errorf("%d pieces of news that were not, not 1", n)
	}
	next.Delivered()
	if n := len(again(t, w).Drain(make([]Item, 0, 8))); n != 0 {
		t.Errorf("%d pieces of news that were delivered", n)
	}
}

// No news is lost or torn where many tell and the agent keeps up, and it comes in the order of each that tells.
func TestNewsOfMany(t *testing.T) {
	w := newWindow(t)
	const tellers, each = 4, 3000
	var telling sync.WaitGroup
	var stopped atomic.Int64 // tellers that stood still for so long that they may have been given up
	for teller := range tellers {
		telling.Go(func() {
			other := again(t, w)
			for i := range each {
				begun := Now()
				other.Tell(Item{Stored, keyOf(teller), uint32(i)})
				if Now()-begun >= newsPatience {
					stopped.Add(1)
				}
			}
		})
	}
	next := map[sessioncache.LookupKey]uint32{}
	for n := 0; n < tellers*each; {
		w.AwaitNews(time.Second)
		items := w.Drain(make([]Item, 0, 100))
		for _, item := range items {
			if item.Kind != Stored || item.Expires < next[item.Key] {
				t.Fatalf("%v after %d", item, next[item.Key])
			}
			next[item.Key] = item.Expires + 1
		}
		n += len(items) + int(w.Counter(CountOverrun)+w.Counter(CountTorn))
		w.Delivered()
	}
	telling.Wait()
	overrun, torn := w.Counter(CountOverrun), w.Counter(CountTorn)
	if overrun != 0 || int64(torn) > stopped.Load() {
		t.Errorf("%d pieces of news overrun and %d torn, and the machine has stopped %d tellers", overrun, torn, stopped.Load())
	}
}

func TestNewsOverrun(t *testing.T) {
	w := newWindow(t)
	const more = 100
	for i := range News + more {
		w.Tell(Item{Stored, keyOf(i), uint32(i)})
	}
	items := w.Drain(make([]Item, 0, 2*News))
	if len(items) != News || items[0].Expires != more {
		t.Errorf("%d pieces of news, and the first is %d", len(items), items[0].Expires)
	}
	if n := w.Counter(CountOverrun); n != more {
		t.Errorf("%d counted, not %d", n, more)
	}
}

// Who ends while telling costs its own news. What it leaves half written is waited for, but not for ever.
func TestNewsOfTheDead(t *testing.T) {
	w := newWindow(t)
	w.Tell(Item{Stored, keyOf(1), 1})
	w.u64(TailAt).Add(3) // begun, and no more
	w.u64(newsAt(3) + newsWhat).Store(7)
	w.Tell(Item{Stored, keyOf(2), 2})
	if items := w.Drain(make([]Item, 0, 8)); len(items) != 1 {
		t.Fatalf("%d pieces of news at first, not 1", len(items))
	}
	var items []Item
	for len(items) == 0 {
		w.AwaitNews(time.Second)
		items = w.Drain(make([]Item, 0, 8))
	}
	if len(items) != 1 || items[0].Key != keyOf(2) {
		t.Errorf("then %v", items)
	}
	if n := w.Counter(CountTorn); n != 3 {
		t.Errorf("%d torn, not 3", n)
	}
}

// Who was stopped while telling, and goes on when the ring has come round, spoils a piece at most: what is read was
// told by somebody.
func TestNewsOfTheStopped(t *testing.T) {
	w := newWindow(t)
	w.Tell(Item{Stored, keyOf(1), 1})
	at := newsAt(1)
	for i := range News {
		w.Tell(Item{Removed, keyOf(i + 2), uint32(i + 2)})
	}
	w.putKey(at+newsKey, &sessioncache.LookupKey{1}) // of the one that was stopped
	for _, item := range w.Drain(make([]Item, 0, News)) {
		if item.Key != keyOf(int(item.Expires)) {
			t.Errorf("%v was told by nobody", item)
		}
	}
	if n := w.Counter(CountOverrun); n != 2 {
		t.Errorf("%d overrun, not 2", n)
	}
}

func TestAwaitNews(t *testing.T) {
	w := newWindow(t)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		for len(w.Drain(make([]Item, 0, 1))) == 0 {
			w.AwaitNews(time.Minute)
		}
	})
	for w.u32(IdleAt).Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	again(t, w).Tell(Item{Stored, keyOf(1), 1})
	waiting.Wait()
}

func TestHostileNews(t *testing.T) {
	w := newWindow(t)
	for range 200 {
		for range 500 {
			w.u64(NewsAt + rand.IntN(News*NewsSize/8)*8).Store(rand.Uint64N(3 * News))
		}
		w.u64(TailAt).Store([]uint64{rand.Uint64(), rand.Uint64N(3 * News), 0, 1<<64 - 1}[rand.IntN(4)])
		w.u64(HeadAt).Store(rand.Uint64N(3 * News))
		agent := again(t, w)
		for _, item := range agent.Drain(make([]Item, 0, 2*News)) {
			t.Errorf("%v was told by nobody", item)
		}
		agent.AwaitNews(time.Microsecond)
		agent.Delivered()
	}
	w.u64(TailAt).Store(7)
	agent := again(t, w)
	agent.Tell(Item{Stored, keyOf(1), 1})
	for tries := 0; ; tries++ {
		if items := agent.Drain(make([]Item, 0, News)); len(items) == 1 && items[0].Key == keyOf(1) {
			break
		}
		if tries > 1000 {
			t.Fatal("news after that does not come")
		}
		agent.AwaitNews(time.Second)
	}
}

func BenchmarkTell(b *testing.B) {
	w := newWindow(b)
	item := Item{Stored, keyOf(1), 1}
	for b.Loop() {
		w.Tell(item)
	}
}
