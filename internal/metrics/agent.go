package metrics

import "gosess/sessioncache"

// AgentCount is one of the numbers that servers and the agent of a fleet count.
type AgentCount struct {
	Name  string // in a word
	Help  string
	Value func(*sessioncache.Agent) uint64
}

// AgentAnswers are what became of what servers have asked the agent.
var AgentAnswers = []AgentCount{
	{"hits", "the far store had it", func(a *sessioncache.Agent) uint64 { return a.Hits }},
	{"misses", "the far store did not have it", func(a *sessioncache.Agent) uint64 { return a.Misses }},
	{"failures", "the agent could not say", func(a *sessioncache.Agent) uint64 { return a.Failures }},
	{"timeouts", "nobody answered in time", func(a *sessioncache.Agent) uint64 { return a.Timeouts }},
	{"crowded", "too many asked at the same moment, so it was not asked", func(a *sessioncache.Agent) uint64 { return a.Crowded }},
	{"robbed", "the server took so long to ask that its place was given away", func(a *sessioncache.Agent) uint64 { return a.Robbed }},
}

// AgentLosses are what was lost between servers and the agent.
var AgentLosses = []AgentCount{
	{"overrun", "news that was written over before the agent read it", func(a *sessioncache.Agent) uint64 { return a.Overrun }},
	{"torn", "news that a server began to write and never ended", func(a *sessioncache.Agent) uint64 { return a.Torn }},
	{"reclaimed", "places that a server asked in and never gave back", func(a *sessioncache.Agent) uint64 { return a.Reclaimed }},
}

// agents is what stores of a fleet say of theirs. Others have none of these metrics.
func (w *writer) agents(stores []Store) {
	each := func(do func(name string, a *sessioncache.Agent)) {
		for i := range stores {
			if a := stores[i].Stats.Agent; a != nil {
				do(stores[i].Name, a)
			}
		}
	}
	for _, g := range []struct {
		name, help string
		value      func(*sessioncache.Agent) float64
	}{
		{"gosess_agent_up", "whether an agent serves the store", func(a *sessioncache.Agent) float64 { return float64(b2i(a.Serves)) }},
		{"gosess_agent_gate_open", "whether handshakes may wait for the agent", func(a *sessioncache.Agent) float64 { return float64(b2i(a.GateOpen)) }},
		{"gosess_agent_waiting", "handshakes that wait for the agent", func(a *sessioncache.Agent) float64 { return float64(a.Waiting) }},
		{"gosess_agent_queue", "news of this machine that the agent has not delivered", func(a *sessioncache.Agent) float64 { return float64(a.Queue) }},
	} {
		w.family(g.name, "gauge", g.help)
		each(func(name string, a *sessioncache.Agent) { w.sample(g.name, labels{{"store", name}}, g.value(a)) })
	}
	for _, kind := range []struct {
		name, help, label string
		counts            []AgentCount
	}{
		{"gosess_agent_requests", "sessions that servers have asked the agent for, by what became of that", "result", AgentAnswers},
		{"gosess_agent_lost", "what was lost between servers and the agent", "what", AgentLosses},
	} {
		w.family(kind.name, "counter", kind.help)
		each(func(name string, a *sessioncache.Agent) {
			for _, c := range kind.counts {
				w.sample(kind.name+"_total", labels{{"store", name}, {kind.label, c.Name}}, float64(c.Value(a)))
			}
		})
	}
}
