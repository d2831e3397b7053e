package metrics

import (
	"cmp"

	"gosess/sessioncache"
)

// Labels that are no certificate's; a certificate may have such a name all the same.
const (
	Others  = "others" // of what belongs to no context that has a row of its own
	unnamed = "without a certificate"
)

// Context is what was counted under one label.
type Context struct {
	Label    string
	Counters sessioncache.Counters
}

// ByLabel adds up the contexts of one label, as a server has new ones after each reload: none is there twice. What belongs to none is
// last.
func ByLabel(s *sessioncache.Stats) []Context {
	var all []Context
	at := map[string]int{}
	add := func(label string, counters *sessioncache.Counters) {
		n, known := at[label]
		if !known {
			n = len(all)
			at[label] = n
			all = append(all, Context{Label: label})
		}
		for counter, value := range counters {
			all[n].Counters[counter] += value
		}
	}
	others := s.Total
	for i := range s.Contexts {
		c := &s.Contexts[i]
		add(cmp.Or(c.Label, unnamed), &c.Counters)
		for counter, value := range c.Counters {
			others[counter] -= min(value, others[counter]) // read at another moment
		}
	}
	counted := others[sessioncache.Hits] + others[sessioncache.Misses] + others[sessioncache.Stores]
	for c := sessioncache.TicketsMade; c <= sessioncache.TicketsRefused; c++ {
		counted += others[c]
	}
	if counted > 0 {
		add(Others, &others)
	}
	return all
}
