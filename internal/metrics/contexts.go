package metrics

import "gosess/sessioncache"

// Others is the label of what belongs to no context that has a row of its own.
const Others = "others"

// Context is what was counted under one label.
type Context struct {
	Label    string
	Counters sessioncache.Counters
}

// ByLabel adds up the contexts of one label, as a server has new ones after each reload. What belongs to none is last.
func ByLabel(s *sessioncache.Stats) []Context {
	var all []Context
	at := map[string]int{}
	others := s.Total
	for _, c := range s.Contexts {
		n, known := at[c.Label]
		if !known {
			n = len(all)
			at[c.Label] = n
			all = append(all, Context{Label: c.Label})
		}
		for counter, value := range c.Counters {
			all[n].Counters[counter] += value
			others[counter] -= min(value, others[counter]) // read at another moment
		}
	}
	for i := range all {
		if all[i].Label == "" {
			all[i].Label = "without a certificate"
		}
	}
	counted := others[sessioncache.Hits] + others[sessioncache.Misses] + others[sessioncache.Stores]
	for c := sessioncache.TicketsMade; c <= sessioncache.TicketsRefused; c++ {
		counted += others[c]
	}
	if counted > 0 {
		all = append(all, Context{Others, others})
	}
	return all
}
