package main

import (
	"fmt"
	"strings"

	"gosess/internal/metrics"
	"gosess/sessioncache"
)

// agent says whether a store of a fleet is served, and how much there is to do.
func agent(a *sessioncache.Agent) string {
	is := "none serves the store: sessions of other machines are not found, nor are this machine's by them"
	switch {
	case a.Serves && a.GateOpen:
		is = "serves the store"
	case a.Serves:
		is = "serves the store, and the gate is closed: nobody waits for it, as the far store does not answer, or too late"
	}
	return fmt.Sprintf("%s; %d handshakes wait, %d news not delivered", is, a.Waiting, a.Queue)
}

// asked says what has become of what servers have asked the agent, and what was lost.
func asked(a *sessioncache.Agent) string {
	text := someOf(a, metrics.AgentAnswers)
	if lost := someOf(a, metrics.AgentLosses); lost != "" {
		text += "; lost: " + lost
	}
	if text == "" {
		return "nothing yet"
	}
	return strings.TrimPrefix(text, "; ")
}

// someOf names those that there were.
func someOf(a *sessioncache.Agent, counts []metrics.AgentCount) string {
	var parts []string
	for _, c := range counts {
		if n := c.Value(a); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.Name))
		}
	}
	return strings.Join(parts, ", ")
}

// agentObject is for programs.
func agentObject(a *sessioncache.Agent) object {
	o := object{{"serves", a.Serves}, {"gateOpen", a.GateOpen}, {"waiting", a.Waiting}, {"queue", a.Queue}}
	for _, counts := range [][]metrics.AgentCount{metrics.AgentAnswers, metrics.AgentLosses} {
		for _, c := range counts {
			o = append(o, member{c.Name, c.Value(a)})
		}
	}
	return o
}
