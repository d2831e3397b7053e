package window

import "gosess/sessioncache"

// Stats says how the agent is, and what has become of what it was asked. It only reads, and each number may be of another moment.
func (w *Window) Stats() *sessioncache.Agent {
	a := &sessioncache.Agent{
		Serves:    w.isLeased(),
		GateOpen:  w.GateIsOpen(),
		Hits:      w.Counter(CountHits),
		Misses:    w.Counter(CountMisses),
		Failures:  w.Counter(CountFailures),
		Timeouts:  w.Counter(CountTimeouts),
		Crowded:   w.Counter(CountCrowded),
		Robbed:    w.Counter(CountRobbed),
		Reclaimed: w.Counter(CountReclaimed),
		Overrun:   w.Counter(CountOverrun),
		Torn:      w.Counter(CountTorn),
	}
	for slot := range Slots {
		if state := w.u32(slotAt(slot)).Load() & stateMask; state == Posted || state == Taken {
			a.Waiting++
		}
	}
	delivered := w.u64(HeadAt).Load() // before the tail, which it never passes
	a.Queue = w.u64(TailAt).Load()
	a.Queue -= min(delivered, a.Queue)
	return a
}
