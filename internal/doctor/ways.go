package doctor

import "gosess/internal/probe"

// names of the ways, as reports and expectations say them.
var wayNames = map[probe.Kind]string{
	probe.ByID:     "tls12-id",
	probe.ByTicket: "tls12-ticket",
	probe.ByPSK:    "tls13",
}

// numberSize is how long a TLS 1.3 ticket is that is nothing but the number of a session: an id (RFC 8446, section 4.6.1;
// libssl's has 32 bytes). What carries a session is far longer.
const numberSize = 64

// gives says what a client may come again with.
func gives(kind probe.Kind, sessions []probe.Session) string {
	switch {
	case len(sessions) == 0:
		return givesNothing
	case sessions[0].Ticket == nil && len(sessions[0].ID) == 0:
		return givesNothing
	case sessions[0].Ticket == nil:
		return givesID
	case kind == probe.ByPSK && len(sessions[0].Ticket) <= numberSize:
		return givesNumber
	}
	return givesTicket
}
