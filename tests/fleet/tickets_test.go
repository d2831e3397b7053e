package fleet_test

import (
	"testing"
)

// TestTicketSecrets: a ticket of one machine opens at the others, which have its secret of the far store. The last one was without an agent
// when its first client came, and has a secret of its own until it has an agent.
func TestTicketSecrets(t *testing.T) {
	t.Parallel()
	const clients = 50
	f := newMachines(t, sharedTickets, 1)
	files := map[string]string{}
	for _, version := range []string{"1.2", "1.3"} {
		files[version] = f.save(f.all[0], version, clients)
	}
	f.wait("secrets in the far store", func() bool { return f.redis.Size() >= 2 })
	f.add()
	early := f.begin()
	f.save(early, "1.2", clients)
	f.serve(early)
	for _, m := range f.all[1:] {
		for version, file := range files {
			f.wait("the tickets of another machine", func() bool { return f.wereAll(f.offer(m, version, file, clients)) })
		}
	}
	for version := range files {
		file := f.save(early, version, clients)
		for _, m := range f.all {
			f.wait("tickets of the last machine", func() bool { return f.wereAll(f.offer(m, version, file, clients)) })
		}
	}
}
