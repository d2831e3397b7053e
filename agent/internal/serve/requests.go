package serve

import (
	"context"
	"sync"
	"time"

	"gosess/agent/internal/beat"
	"gosess/agent/internal/far"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

const (
	// tick is how often the agent looks after the window where nobody asks.
	tick = time.Second
	// lease is for how long workers may wait for an agent that is heard of no more.
	lease = 3 * time.Second
	// missFor is for how long it is noted that the far store does not have something: it may get it.
	missFor = 2 * time.Second
	// batch is how many requests are answered together.
	batch = 32
	// takePatience is how long a request may wait for what is being delivered.
	takePatience = 50 * time.Millisecond
	// mostTaking is how many requests may wait so, each on a goroutine of its own: whoever can write to the window may ask for any number.
	mostTaking = 1024
)

// requests are what the workers of the machine ask.
type requests struct {
	*machine
	news   *news
	asking sync.WaitGroup // batches that are being answered
	taking chan struct{}  // is full where too many requests wait for what is being delivered
}

func newRequests(m *machine, n *news) *requests {
	return &requests{machine: m, news: n, taking: make(chan struct{}, mostTaking)}
}

// serve answers what is asked, until the agent is stopped.
func (q *requests) serve() {
	collected := make([]window.Request, 0, batch)
	var due time.Time
	for !q.stopping.Load() {
		at := time.Now()
		if !at.Before(due) {
			q.lookAfterWindow(at)
			due = nextLook(at)
		}
		collected = q.window.Collect(collected[:0])
		if len(collected) == 0 {
			q.window.Await(due.Sub(at))
			continue
		}
		if !q.up.Load() {
			for i := range collected {
				q.window.Answer(&collected[i], window.Failure)
			}
			continue
		}
		q.begin(collected, at)
	}
	q.asking.Wait()
}

// nextLook is when to look after the window again: not so soon that what a worker waits for is taken for something that a dead one has left.
func nextLook(at time.Time) time.Time {
	next := at.Add(beat.Until(tick))
	if next.Sub(at) < tick/2 {
		next = next.Add(tick)
	}
	return next
}

// begin has requests answered, those of each shard together.
func (q *requests) begin(collected []window.Request, at time.Time) {
	gets := map[int][]window.Request{}
	for _, r := range collected {
		switch shard, bad := q.shardOf(&r); {
		case bad:
			q.window.Answer(&r, window.Failure)
		case r.Operation == window.Take: // it may have to wait for what is being delivered
			select {
			case q.taking <- struct{}{}:
				q.asking.Go(func() {
					q.answer(shard, []window.Request{r}, at)
					<-q.taking
				})
			default:
				q.window.Answer(&r, window.Failure)
			}
		case shard == several:
			q.answer(shard, []window.Request{r}, at)
		default:
			gets[shard] = append(gets[shard], r)
		}
	}
	for shard, of := range gets {
		q.answer(shard, of, at)
	}
}

// several is the shard of a request whose keys are on several ones.
const several = -2

// shardOf is where the keys of a request are, and reports whether a shard of them does not answer.
func (q *requests) shardOf(r *window.Request) (shard int, bad bool) {
	for i, key := range r.Keys() {
		of := q.far.Shard((*far.Key)(&key))
		if bad = bad || q.isBad(of); i == 0 {
			shard = of
		} else if of != shard {
			shard = several
		}
	}
	return shard, bad
}

// lookAfterWindow renews the lease, has the far store asked where workers have closed the gate, and does what workers have left that are no
// more: it frees their slots, and reads the news that they did not ring for.
func (q *requests) lookAfterWindow(at time.Time) {
	q.window.Renew(lease)
	if q.up.Load() && !q.window.GateIsOpen() && q.gate.found(at) {
		q.far.Probe()
	}
	q.window.Reclaim()
	q.news.read()
}

// answer asks a shard of the far store for what was asked at a time, and has that answered.
func (q *requests) answer(shard int, requests []window.Request, asked time.Time) {
	ops := make([]far.Op, 0, len(requests))
	first := make([]int, len(requests)+1) // of a request's operations
	for i := range requests {
		ops = q.ask(ops, &requests[i])
		first[i+1] = len(ops)
	}
	q.asking.Add(1)
	q.askShard(shard, ops, requests, func() {
		defer q.asking.Done()
		for i := range requests {
			r := &requests[i]
			state := q.settle(r, ops[first[i]:first[i+1]])
			if !q.window.Answer(r, state) {
				q.gate.tooLate(time.Since(asked))
			}
		}
	})
}

// ask appends the operations of a request: none for what this machine has removed, and has not told yet.
func (q *requests) ask(ops []far.Op, r *window.Request) []far.Op {
	kind := far.Get
	if r.Operation == window.Take {
		kind = far.Take
		q.news.read() // what was stored a moment ago is not left behind in the ring, to be stored after it was taken
	}
	for _, key := range r.Keys() {
		if kind == far.Take && !q.outbox.await(key, takePatience) {
			return ops
		}
		if !q.outbox.isRemoved(key) {
			ops = append(ops, far.Op{Kind: kind, Key: far.Key(key)})
		}
	}
	return ops
}

// settle puts what was found into the near store, and says what the answer is.
func (q *requests) settle(r *window.Request, ops []far.Op) uint32 {
	state := uint32(window.Miss)
	if len(ops) == 0 {
		state = window.Failure // nothing was asked
	}
	for i := range ops {
		op := &ops[i]
		if op.Err != nil && state != window.Hit {
			state = window.Failure
		}
		if !op.Found || !q.keep((*sessioncache.LookupKey)(&op.Key), &op.Entry, r.Operation) {
			continue
		}
		if state = window.Hit; r.Operation != window.GetRecord {
			return state // of records each may be there
		}
	}
	if state == window.Miss && r.Operation != window.GetRecord {
		for _, key := range r.Keys() {
			q.window.NoteMiss(&key, missFor)
		}
	}
	return state
}

// keep puts an entry into the near store, and reports whether it may be had.
func (q *requests) keep(key *sessioncache.LookupKey, e *far.Entry, operation window.Operation) bool {
	if operation == window.GetRecord {
		err := q.addRecord(key, e)
		return err == nil || err == sessioncache.ErrExists
	}
	if operation == window.Take { // nobody else has it, nor will
		return !q.gone.covers(e) && !q.gone.isTheirs(far.Key(*key)) && q.near.Put(context.Background(), key, e.Sealed, e.Expires, now()) == nil
	}
	return q.put(key, e)
}
