package fleet_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"gosess/tests/harness"
)

// agentStats is what gosess stats says of the agent of a machine.
type agentStats struct {
	Serves, GateOpen                        bool
	Queue, Hits, Misses, Failures, Timeouts uint64
}

func (m *machine) agentStats(t *testing.T) agentStats {
	t.Helper()
	command, err := harness.Built("gosess")
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(command, "stats", "--json", "shm:"+m.store).Output()
	if err != nil {
		t.Fatal(err)
	}
	var stats struct{ Agent *agentStats }
	if err := json.Unmarshal(said, &stats); err != nil || stats.Agent == nil {
		t.Fatalf("%v: %s", err, said)
	}
	return *stats.Agent
}

// TestAgentInStats: what gosess stats says of the agent is what the load client has seen, and it says when there is none.
func TestAgentInStats(t *testing.T) {
	t.Parallel()
	const sessions = 50
	f := newMachines(t, kinds[0], 2)
	a, b := f.all[0], f.all[1]
	file := f.visit(a, "1.2", sessions)
	f.wait("all news to be delivered", func() bool { return a.agentStats(t).Queue == 0 })
	f.wait("the gate to be open", func() bool { return b.agentStats(t).GateOpen })
	before := b.agentStats(t)
	r := f.load(b, "--tls", "1.2", "--load", file, "--attempts", "50")
	after := b.agentStats(t)
	// Each session is offered once, and none is near. Where the gate was closed on a busy machine, nobody was asked.
	if found := after.Hits - before.Hits; found != uint64(r.Resumed) && after.Timeouts == before.Timeouts || found == 0 {
		t.Errorf("%d of %d resumed: %+v, then %+v", r.Resumed, r.Attempts, before, after)
	}
	if !after.Serves {
		t.Errorf("an agent serves: %+v", after)
	}
	b.agent.Kill()
	f.wait("stats to say that no agent serves the store", func() bool { return !b.agentStats(t).Serves })
	f.serve(b)
	f.wait("stats to say that one does again", func() bool { s := b.agentStats(t); return s.Serves && s.GateOpen })
}
