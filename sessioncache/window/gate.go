package window

import "time"

const (
	gateOpen = 1
	// LongestLease is what the agent may renew a lease for, and FarthestLease what a worker takes for one: what ends later
	// is of before the machine was started anew. The worker's clock was read before the agent's.
	LongestLease  = 10 * time.Second
	FarthestLease = LongestLease + time.Second
	// MaxStrikes is after how many waits in a row that nobody has answered a worker closes the gate.
	MaxStrikes = 5
)

// The gate keeps workers from waiting for an agent that does not answer. A worker closes it after
// MaxStrikes, and the agent where the far store does not answer; only the agent opens it.

// OpenGate lets workers wait for the agent.
func (w *Window) OpenGate() {
	w.u32(StrikesAt).Store(0)
	w.turnGate(gateOpen)
}

// CloseGate has them take a miss of the near store for one.
func (w *Window) CloseGate() { w.turnGate(0) }

func (w *Window) turnGate(to uint32) {
	gate := w.u32(GateAt)
	for {
		was := gate.Load()
		if was&gateOpen == to || gate.CompareAndSwap(was, (was>>1+1)<<1|to) {
			return
		}
	}
}

// GateIsOpen reports whether workers may wait.
func (w *Window) GateIsOpen() bool { return w.u32(GateAt).Load()&gateOpen != 0 }

// Renew lets workers wait for so long from now on, LongestLease at most. An agent that ends sets it to 0.
func (w *Window) Renew(lease time.Duration) {
	until := int64(0)
	if lease > 0 {
		until = Now() + int64(min(lease, LongestLease))
	}
	w.u64(LeaseAt).Store(uint64(until))
}

// MayWait reports whether a worker may wait for the agent.
func (w *Window) MayWait() bool { return w.GateIsOpen() && w.isLeased() }

// isLeased reports whether there is an agent, as far as it has said.
func (w *Window) isLeased() bool {
	left := int64(w.u64(LeaseAt).Load()) - Now()
	return left > 0 && left <= int64(FarthestLease)
}
