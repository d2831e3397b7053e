package metrics

import (
	"strings"

	"gosess/sessioncache"
)

// Reasons are the counters of a kind that say why: the first and the last, and how their names begin.
type Reasons struct {
	First, Last sessioncache.Counter
	Prefix      string
}

// The kinds.
var (
	Missed = Reasons{sessioncache.MissedAbsent, sessioncache.MissedBroken, "missed "}
	Kept   = Reasons{sessioncache.KeptUnknown, sessioncache.KeptAdded, "kept "}

	NotAccepted = Reasons{sessioncache.TicketsUnknown, sessioncache.TicketsRefused, "tickets "}
)

// Name is the reason of a counter, in a word.
func (r Reasons) Name(c sessioncache.Counter) string { return strings.TrimPrefix(c.String(), r.Prefix) }

// Sum is what was counted for all reasons of a kind.
func (r Reasons) Sum(c *sessioncache.Counters) (n uint64) {
	for counter := r.First; counter <= r.Last; counter++ {
		n += c[counter]
	}
	return n
}

// byContext writes a counter of each context.
func (w *writer) byContext(name, help string, stores []Store, c sessioncache.Counter) {
	w.family(name, "counter", help)
	eachContext(stores, func(store string, context *Context) {
		w.sample(name+"_total", labels{{"store", store}, {"context", context.Label}}, float64(context.Counters[c]))
	})
}

// byReason writes the counters of a kind, of each context.
func (w *writer) byReason(name, help string, stores []Store, kind Reasons) {
	w.family(name, "counter", help)
	eachContext(stores, func(store string, context *Context) {
		for c := kind.First; c <= kind.Last; c++ {
			w.sample(name+"_total", labels{{"store", store}, {"context", context.Label}, {"reason", kind.Name(c)}}, float64(context.Counters[c]))
		}
	})
}

func eachContext(stores []Store, do func(store string, c *Context)) {
	for i := range stores {
		if stores[i].Err != nil {
			continue
		}
		for _, context := range ByLabel(&stores[i].Stats) {
			do(stores[i].Name, &context)
		}
	}
}
