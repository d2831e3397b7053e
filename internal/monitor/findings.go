package monitor

import (
	"fmt"
	"time"

	"gosess/internal/metrics"
	"gosess/internal/span"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// finding is what a store's numbers mean.
type finding struct {
	Bad  bool   // it costs something
	Text string // what is so, what comes of it, and what to do about it
}

// reasons are what misses mean, each with what can be done.
var reasons = map[sessioncache.Counter]string{
	sessioncache.MissedAbsent: "the store does not have the session: it has made way, has ended, or was made where another store is used. " +
		"Where sessions make way, make the store larger (size= in its URL).",
	sessioncache.MissedExpired: "the session is over. Clients come back later than the server's session timeout: make that longer, if they are to resume " +
		"(ssl_session_timeout in nginx, tune.ssl.lifetime in HAProxy, SSLSessionCacheTimeout in httpd).",
	sessioncache.MissedName: "the session was made under another server name. Clients that offer it there are full handshakes: nothing is to be done.",
	sessioncache.MissedTerms: "a full handshake would show another certificate now, or demand another of the client. That is so once after each renewal; " +
		"where it goes on, servers of different configurations share this store.",
	sessioncache.MissedUnknown: "it is not known, when a client asks, which certificate it would be shown: so after each start and reload, until each name was asked for once. " +
		"Where it goes on, the server chooses certificates for each connection by code of its own.",
	sessioncache.MissedCipher: "the server no longer takes the cipher of the session, or its version of TLS. That ends when the sessions of before have ended.",
	sessioncache.MissedTaken:  "somebody has used the session, and it may be used once (single-use=tls13). A client that offers a ticket twice makes a full handshake.",
	sessioncache.MissedBroken: "what is stored could not be opened or decoded. Servers that share the store may have different key files; the log of the server says more.",
}

// keptWhy is what keeps sessions in one process.
var keptWhy = map[sessioncache.Counter]string{
	sessioncache.KeptUnknown: "it was not known which certificate there was, or who the client is",
	sessioncache.KeptData:    "the server keeps data with its sessions, or account of them",
	sessioncache.KeptRules:   "connections have rules for clients of their own",
	sessioncache.KeptChain:   "the bytes of a session lack what the client has sent",
	sessioncache.KeptLarge:   "they are too large for the store",
	sessioncache.KeptAdded:   "the server adds them itself",
}

// ticketWhy is what keeps tickets from being accepted.
var ticketWhy = map[sessioncache.Counter]string{
	sessioncache.TicketsUnknown: "they were sealed under a key that is not known here: by a server that has other keys, or none of gosess, or so long ago that the secret is gone.",
	sessioncache.TicketsEnded:   "the session that they carry is over. Clients come back later than the server's session timeout: make that longer, if they are to resume.",
	sessioncache.TicketsRefused: "a full handshake would show another certificate now, or demand another of the client, or the ticket is of another server name. " +
		"That is so once after each renewal.",
}

// few is how many of something are not worth a word.
const few = 20

// find says what the numbers of a store mean: of the last hour, where something has happened in it, else of all time.
func find(s *metrics.Store, hour delta, keyFile string, keyAge time.Duration, program string) (all []finding) {
	say := func(bad bool, format string, values ...any) {
		all = append(all, finding{bad, fmt.Sprintf(format, values...)})
	}
	if s.Err != nil {
		say(true, "The store cannot be read: %v. Servers that use it serve without it, and say so in their logs.", s.Err)
		return all
	}
	c, when := hour.counters, "In the last hour"
	if c[sessioncache.Hits]+c[sessioncache.Misses]+c[sessioncache.Stores]+c[sessioncache.TicketsMade]+c[sessioncache.TicketsAccepted] == 0 {
		c, when = s.Stats.Total, "Since the store was made"
	}
	ever, live, other := 0, 0, 0 // processes of servers, and of anybody
	for _, w := range s.Stats.Workers {
		if w.IsServer() {
			ever++
		}
		if !w.Live {
			continue
		}
		if w.IsServer() {
			live++
		}
		if v := w.Versions.GosessText(); v != "" && v != program {
			other++
		}
	}
	hits, misses := c[sessioncache.Hits], c[sessioncache.Misses]
	accepted, not := c[sessioncache.TicketsAccepted], metrics.NotAccepted.Sum(&c)
	switch {
	case ever == 0:
		say(true, "No server has ever used this store: a worker does when its first client comes. Clients whose tickets carry their sessions never ask a cache: with GOSESS_TICKETS=shared they are resumed over reloads too. "+
			"Else the server's log says why it serves without.")
	case live == 0:
		say(true, "No living server has this store open: the server is stopped, has had no client since it was started, runs without gosess, or in a container whose processes cannot be seen from here.")
	case hits+misses+accepted+not == 0:
		say(false, "%s nobody has offered a session.", when)
	case hits+misses > 0:
		say(hits < misses, "%s %.1f %% of %d lookups found their session.", when, ratio(hits, misses), hits+misses)
	}
	if accepted+not > 0 {
		say(accepted < not, "%s %.1f %% of %d tickets were accepted.", when, ratio(accepted, not), accepted+not)
	}
	if other == 1 {
		say(true, "A process runs another version than %s: restart the server after an upgrade.", program)
	} else if other > 1 {
		say(true, "%d processes run another version than %s: restart the server after an upgrade.", other, program)
	}
	if worst := most(c, metrics.Missed); c[worst] >= few && c[worst]*2 >= misses {
		say(misses > hits, "Of %d misses, %d are so because %s", misses, c[worst], reasons[worst])
	}
	if worst := most(c, metrics.NotAccepted); c[worst] >= few && c[worst]*2 >= not {
		say(not > accepted, "Of %d tickets that were not accepted, %d were not because %s", not, c[worst], ticketWhy[worst])
	}
	if worst := most(c, metrics.Kept); c[worst] >= few && c[worst]*10 >= c[sessioncache.Stores] {
		say(true, "%d of %d sessions stay in the process that made them, because %s. They end with it, and no other process has them.",
			c[worst], c[sessioncache.Stores], keptWhy[worst])
	}
	if n := c[sessioncache.Evictions]; n >= few && c[sessioncache.MissedAbsent] < few {
		// Those of TLS 1.3 that somebody has come back with go first, and are not missed.
		say(false, "%s %d sessions made way for others, and nearly none was missed afterwards: the store is large enough.", when, n)
	} else if n >= few {
		say(true, "%s %d sessions made way for others, when they had been stored for %s on average. If that is less than clients stay away, make the store larger: servers keep the "+
			"size that a store has, so stop them, remove it, and start them with another size= in the URL.", when, n, span.Words(int64(c[sessioncache.EvictionAge]/n)))
	}
	if n := c[sessioncache.Errors]; n > 0 {
		say(true, "%s there were %d errors: entries that could not be used, or sessions that could not be stored. The log of the server has a line for each cause.", when, n)
	}
	if s.Stats.Agent != nil {
		all = append(all, ofAgent(s.Stats.Agent)...)
	}
	if keyFile != "" && keyAge > 90*24*time.Hour {
		say(true, "The sealing key in %s is %d days old. Who gets hold of it can read what is sealed under it: put a new one in front (gosess keygen), and restart.",
			keyFile, int(keyAge.Hours()/24))
	}
	return all
}

// ofAgent says what the numbers of the agent mean.
func ofAgent(a *sessioncache.Agent) (all []finding) {
	say := func(text string, values ...any) { all = append(all, finding{true, fmt.Sprintf(text, values...)}) }
	switch {
	case !a.Serves:
		say("No agent serves this store: sessions of other machines are not found, nor are this machine's by them. Start gosess-agent; its log says why it has ended.")
	case !a.GateOpen:
		say("The agent's gate is closed: no handshake waits for it, as the far store does not answer, or answers too late. The agent's log says which; gosess-agent check looks at the far store.")
	}
	if asked := a.Hits + a.Misses + a.Failures + a.Timeouts; a.Timeouts >= few && a.Timeouts*10 >= asked {
		say("Of %d requests to the agent, %d had no answer in time: the far store is further away than wait= in the URL allows, or the agent has too little of the processor.", asked, a.Timeouts)
	}
	if a.Queue >= window.News {
		say("%d news wait for the agent, and there is room for %d: what is older is lost, and other machines do not learn of these sessions.", a.Queue, window.News)
	} else if a.Overrun > 0 {
		say("%d news were lost, as the agent did not read them in time: other machines did not learn of these sessions.", a.Overrun)
	}
	return all
}

// most is the reason of a kind that there was most of.
func most(c sessioncache.Counters, kind metrics.Reasons) sessioncache.Counter {
	worst := kind.First
	for counter := kind.First; counter <= kind.Last; counter++ {
		if c[counter] > c[worst] {
			worst = counter
		}
	}
	return worst
}
