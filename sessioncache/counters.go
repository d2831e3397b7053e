package sessioncache

import (
	"fmt"
	"strings"
)

// Counter names one of the things that are counted, each over all that a worker has done. The
// values are part of the format of stores: a new one goes to the end, and none is ever given up.
type Counter int

// The counters. What they mean is said below.
const (
	Hits Counter = iota
	Misses
	Stores
	Evictions
	Expiries
	Removals
	TooBig
	Errors

	// Why a lookup returned none: each miss is one of these too.
	MissedAbsent
	MissedExpired
	MissedName
	MissedTerms
	MissedUnknown
	MissedCipher
	MissedTaken
	MissedBroken

	// Why a session is kept as an object, in the process that made it: a part of the stores.
	KeptUnknown
	KeptData
	KeptRules
	KeptChain
	KeptLarge
	KeptAdded

	EvictionAge

	// Tickets that carry their sessions, which gosess seals (GOSESS_TICKETS=shared) and the store knows the secrets of. The
	// C half counts them: no ticket needs a call into Go.
	TicketsMade
	TicketsAccepted
	TicketsUnknown
	TicketsEnded
	TicketsRefused

	counterEnd
)

// CounterCount is how many counters there are.
const CounterCount = int(counterEnd)

// Description says what a counter counts.
type Description struct {
	Name string // in words; C has an underscore between them
	Help string
	Unit string // of what is counted, in the plural
}

// Descriptions is the one list of the counters. The header, the manual and the description of the
// format are made of it: go test -run TestCounterList ./sessioncache -update, then clang-format -i
// include/gosess.h.
var Descriptions = [CounterCount]Description{
	Hits:      {"hits", "lookups that returned a session", "lookups"},
	Misses:    {"misses", "lookups that did not", "lookups"},
	Stores:    {"stores", "sessions stored", "sessions"},
	Evictions: {"evictions", "sessions that made way for others", "sessions"},
	Expiries:  {"expiries", "sessions dropped because their time was over", "sessions"},
	Removals:  {"removals", "sessions removed on request", "sessions"},
	TooBig:    {"too big", "sessions refused for their size", "sessions"},
	Errors:    {"errors", "entries that could not be used, sessions that could not be stored", "errors"},

	MissedAbsent:  {"missed absent", "misses: there was no such session", "lookups"},
	MissedExpired: {"missed expired", "misses: its time was over", "lookups"},
	MissedName:    {"missed name", "misses: it was made under another server name", "lookups"},
	MissedTerms:   {"missed terms", "misses: of another certificate, or other rules for clients", "lookups"},
	MissedUnknown: {"missed unknown", "misses: which certificate there would be was not known", "lookups"},
	MissedCipher:  {"missed cipher", "misses: the server has given up its cipher or version", "lookups"},
	MissedTaken:   {"missed taken", "misses: it may be used once, and was", "lookups"},
	MissedBroken:  {"missed broken", "misses: it could not be opened or decoded", "lookups"},

	KeptUnknown: {"kept unknown", "in one process: certificate or client was not known", "sessions"},
	KeptData:    {"kept data", "in one process: the server keeps data, or account, of sessions", "sessions"},
	KeptRules:   {"kept rules", "in one process: the connection had rules of its own", "sessions"},
	KeptChain:   {"kept chain", "in one process: the bytes lack what the client has sent", "sessions"},
	KeptLarge:   {"kept large", "in one process: too large for the store", "sessions"},
	KeptAdded:   {"kept added", "in one process: the server has added them itself", "sessions"},

	EvictionAge: {"eviction age", "seconds that evicted sessions had been stored, in sum", "seconds"},

	TicketsMade:     {"tickets made", "tickets sealed under a secret of the store", "tickets"},
	TicketsAccepted: {"tickets accepted", "connections that resumed by such a ticket", "tickets"},
	TicketsUnknown:  {"tickets unknown", "tickets that were sealed under a key that is not known", "tickets"},
	TicketsEnded:    {"tickets ended", "tickets whose chain of resumptions was over", "tickets"},
	TicketsRefused:  {"tickets refused", "tickets of another certificate, name or rules for clients", "tickets"},
}

// String is its name.
func (c Counter) String() string { return Descriptions[c].Name }

// Counters holds a value for each [Counter].
type Counters [CounterCount]uint64

// String names those that are not zero.
func (c Counters) String() string {
	var parts []string
	for counter, value := range c {
		if value != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", Counter(counter), value))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
