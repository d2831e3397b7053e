package serve

import (
	"time"

	"gosess/agent/internal/far"
	"gosess/sessioncache"
)

// messages appends the operations that push what others put.
func (m *machine) messages(ops []far.Op) []far.Op {
	message, empty := far.BeginMessage(m.id), true
	flush := func() {
		if !empty {
			ops = append(ops, far.Op{Kind: far.Push, Message: message})
			message, empty = far.BeginMessage(m.id), true
		}
	}
	for i := range ops {
		if ops[i].Kind != far.Put {
			continue
		}
		pushed := far.Pushed{Key: ops[i].Key, Entry: ops[i].Entry}
		longer, ok := far.AppendPushed(message, &pushed)
		if !ok {
			flush()
			longer, _ = far.AppendPushed(message, &pushed)
		}
		message, empty = longer, false
	}
	flush()
	return ops
}

// Heard puts what another machine has stored into the near store, unless the store has it, or it was removed since then. A session for
// a single use is taken from the far store all the same: what is near does not say that nobody else has taken it.
func (m *machine) Heard(message []byte) {
	from, entries, ok := far.ParseMessage(message, time.Now().Unix())
	if !ok || from == m.id || m.stopping.Load() || !m.up.Load() {
		return
	}
	for i := range entries {
		key := sessioncache.LookupKey(entries[i].Key)
		if _, found := m.look(&key, false); !found && !m.outbox.isRemoved(key) {
			m.put(&key, &entries[i].Entry)
		}
	}
}
