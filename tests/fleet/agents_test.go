package fleet_test

import (
	"testing"
	"time"
)

// TestAgentIsKilled kills the agents at any moment.
func TestAgentIsKilled(t *testing.T) {
	t.Parallel()
	f := newMachines(t, nginx, 2)
	a, b := f.all[0], f.all[1]
	f.under(a, func() {
		for i := range count(20, 200, 1000) {
			m := f.all[i%2]
			m.agent.Kill()
			f.serve(m)
			time.Sleep(time.Duration(i%20) * 7 * time.Millisecond)
		}
	})
	f.resumes(b, "1.2", f.visit(a, "1.2", 50), 50)
}
