package serve

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"gosess/agent/internal/far"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// The sizing table of docs/fleet.md is computed here. A fleet is simulated in time of its own: clients that come to a machine at
// random, what their sessions cost the near stores and the far one, and with the agent's own code what a machine keeps of its
// news while the far store is away.

// What is assumed.
const (
	life       = 300      // seconds
	newShare   = 0.1      // of the handshakes are of clients that have no session
	comesBack  = 20.      // seconds, on average
	removals   = 0.01     // of the news
	sealedSize = 192      // bytes: a session without a client certificate, sealed
	farEntry   = 352      // bytes of Redis 7.0 for it: remote, TestMemoryOfASession
	nearPerMiB = 4700     // sessions of that size in a MiB of a near store: tests/bench
	perCommand = 7.5e-6   // seconds of the far store's processor, measured with Redis 7.0
	shardLoad  = 0.5      // of a core, at the most
	simulated  = 100.     // handshakes a second that are looked at, of those that there are
	duration   = 20 * 60. // of them, in seconds; the second half counts
)

// A visit is a client's next one, with the session that it has.
type visit struct {
	at      float64
	session *session
}

type session struct {
	expires float64
	near    map[int]bool // where it is
}

type visits []visit

func (v visits) Len() int           { return len(v) }
func (v visits) Less(i, j int) bool { return v[i].at < v[j].at }
func (v visits) Swap(i, j int)      { v[i], v[j] = v[j], v[i] }
func (v *visits) Push(x any)        { *v = append(*v, x.(visit)) }
func (v *visits) Pop() any          { last := (*v)[len(*v)-1]; *v = (*v)[:len(*v)-1]; return last }

// A load is what one second of a fleet does, on average, and what there is at a time.
type load struct {
	handshakes, resumed, sets, gets float64
	stored, nearStored              float64 // in the far store, and in all near ones
}

// simulate has clients come to machines. Each handshake of TLS 1.3 gives the client new tickets: two at first, then one.
func simulate(machines int) load {
	rng := rand.New(rand.NewPCG(7, uint64(machines)))
	var coming visits
	for t := 0.; t < duration; t += rng.ExpFloat64() / (simulated * newShare) {
		coming = append(coming, visit{t, nil})
	}
	heap.Init(&coming)
	var counts load
	count := func(at float64, n *float64, by float64) {
		if at >= duration/2 {
			*n += by
		}
	}
	kept := func(at, until float64, n *float64, by float64) { // seconds that it is there, of those that count
		*n += by * max(0, min(until, duration)-max(at, duration/2))
	}
	for len(coming) > 0 {
		v := heap.Pop(&coming).(visit)
		if v.at >= duration {
			break
		}
		here, tickets := rng.IntN(machines), 2.
		count(v.at, &counts.handshakes, 1)
		if s := v.session; s != nil && s.expires > v.at {
			if !s.near[here] {
				count(v.at, &counts.gets, 1)
				kept(v.at, s.expires, &counts.nearStored, 1)
				s.near[here] = true
			}
			count(v.at, &counts.resumed, 1)
			tickets = 1
		}
		next := &session{expires: v.at + life, near: map[int]bool{here: true}}
		count(v.at, &counts.sets, tickets)
		kept(v.at, next.expires, &counts.stored, tickets)
		kept(v.at, next.expires, &counts.nearStored, tickets)
		if rng.Float64() >= newShare { // so that a tenth of all are new
			heap.Push(&coming, visit{v.at + rng.ExpFloat64()*comesBack, next})
		}
	}
	of := func(n float64) float64 { return n / counts.handshakes }
	return load{1, of(counts.resumed), of(counts.sets), of(counts.gets), of(counts.stored), of(counts.nearStored)}
}

// bytesOf is what a command has on the wire.
func bytesOf(words ...string) (n int) {
	n = len(fmt.Sprintf("*%d\r\n", len(words)))
	for _, w := range words {
		n += len(fmt.Sprintf("$%d\r\n%s\r\n", len(w), w))
	}
	return n
}

// The bytes of a set and of a get that finds something, with their answers.
func wire() (set, get float64) {
	key := "gosess:" + strings.Repeat("k", 22)
	e := far.Entry{Sealed: make([]byte, sealedSize)}
	value := string(e.Append(nil))
	set = float64(bytesOf("SET", key, value, "PX", strconv.Itoa(life*1000)) + len("+OK\r\n"))
	get = float64(bytesOf("GET", key) + bytesOf(value) - len("*1\r\n"))
	return set, get
}

// room is how much news a machine keeps while the far store is away: until a session is lost, and until a removal is.
func room() (sessions, withoutRemovalLost int) {
	o := newOutbox()
	items := make([]window.Item, 256)
	for n := 0; ; n += len(items) {
		fill(items, n, 0)
		if o.add(items); o.takeLost() > 0 {
			sessions = n
			break
		}
	}
	o = newOutbox()
	every := int(1 / removals)
	var first sessioncache.LookupKey
	for n := 0; ; n += len(items) {
		if fill(items, n, every); n == 0 {
			first = items[0].Key
		}
		if o.add(items); !o.isRemoved(first) {
			return sessions, n
		}
	}
}

// fill makes news, of which each so many-th is a removal.
func fill(items []window.Item, from, every int) {
	for i := range items {
		items[i] = window.Item{Kind: window.Stored}
		if n := from + i; every > 0 && n%every == 0 {
			items[i].Kind = window.Removed
		}
		binary.LittleEndian.PutUint64(items[i].Key[:], uint64(from+i))
	}
}

// ring tells a window of news at a rate, and reads it as an agent does that was away for a while: how much was overrun.
func ring(rate, away float64) uint64 {
	words := make([]uint64, window.Size/8)
	w := window.Open(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), window.Size))
	n := int(rate * away)
	for i := range n {
		w.Tell(window.Item{Kind: window.Stored, Key: sessioncache.LookupKey{byte(i), byte(i >> 8), byte(i >> 16)}})
	}
	for dst := make([]window.Item, 0, 512); len(w.Drain(dst[:0])) > 0; {
	}
	return w.Counter(window.CountOverrun)
}

// misses is how many of the sessions that nobody has, and that are offered again before a note of that is over, are known to be
// nobody's, where a machine is offered so many of them in that time.
func misses(offered int) float64 {
	words := make([]uint64, window.Size/8)
	w := window.Open(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), window.Size))
	rng, known := rand.New(rand.NewPCG(11, 0)), 0
	keys := make([]sessioncache.LookupKey, offered)
	for i := range keys {
		binary.LittleEndian.PutUint64(keys[i][:], rng.Uint64())
		binary.LittleEndian.PutUint64(keys[i][8:], rng.Uint64())
		w.NoteMiss(&keys[i], window.LongestMiss) // a slow test must not outlast it
	}
	for i := range keys {
		if w.IsMiss(&keys[i]) {
			known++
		}
	}
	return float64(known) / float64(offered)
}

// short writes a number with two digits that count, and thousands apart.
func short(n float64) string {
	switch {
	case n < 0.995:
		return strconv.FormatFloat(n, 'g', 1, 64)
	case n < 9.95:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(n, 'g', 2, 64), 64)
	return apart(int(rounded))
}

func apart(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", apart(n/1000), n%1000)
}

func span(seconds float64) string {
	switch {
	case seconds < 119.5:
		return short(seconds) + " s"
	case seconds < 119.5*60:
		return short(seconds/60) + " min"
	case seconds < 24*3600:
		return short(seconds/3600) + " h"
	}
	return "over a day"
}

// TestSizingTable compares the table of docs/fleet.md with the simulation.
func TestSizingTable(t *testing.T) {
	t.Parallel()
	set, get := wire()
	sessions, withoutRemovalLost := room()
	rates, fleets := []float64{10, 1000, 100000}, []int{2, 10, 100, 1000}
	table := make([]string, len(rates)*len(fleets))
	for j, machines := range fleets {
		l := simulate(machines)
		if l.resumed < 0.88 {
			t.Errorf("%d machines: %+v", machines, l)
		}
		for i, rate := range rates {
			news := l.sets * rate / float64(machines)
			if overrun := ring(news, 0.2); overrun > 0 {
				t.Errorf("%v/s, %d machines: %d pieces of news are lost while an agent is started again", rate, machines, overrun)
			}
			processor := rate * (l.sets + l.gets) * perCommand
			shards := int(processor/shardLoad) + 1
			connections := shards
			if shards == 1 {
				connections = 2
			}
			table[i*len(fleets)+j] = "| " + strings.Join([]string{apart(int(rate)), apart(machines),
				short(max(1, l.nearStored*rate/float64(machines)/nearPerMiB)) + " MiB",
				short(l.stored*rate*farEntry/1e6) + " MB", short(100*processor) + " %", short(rate*(l.sets*set+l.gets*get)/1e6) + " MB/s", strconv.Itoa(shards),
				apart(machines * connections), span(float64(sessions) / news), span(float64(withoutRemovalLost) / news)}, " | ") + " |\n"
		}
	}
	lines := []string{strings.Join(table, ""), fmt.Sprintf("%.0f %% where a machine is offered 100 such a second, %.0f %% where 1,000", 100*misses(200), 100*misses(2000)),
		"keeps " + apart(sessions) + " sessions and removals"}
	page, err := os.ReadFile("../../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range lines {
		if !strings.Contains(string(page), text) {
			t.Errorf("docs/fleet.md does not have:\n%s", text)
		}
	}
}
