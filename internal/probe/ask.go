// Package probe makes one TLS connection to a server, as a client does that comes again, and says what it saw. It uses
// the system's libssl, because Go's client can neither resume a TLS 1.2 session by its id nor send early data.
//
// Whatever the server is, a connection is over after a time and a number of bytes.
package probe

import "time"

// A Kind is one of the ways in which clients resume.
type Kind int

// The kinds. Who offers the ticket extension may be answered with an id.
const (
	ByID     Kind = iota // TLS 1.2 without tickets
	ByTicket             // TLS 1.2 with tickets, as most clients
	ByPSK                // TLS 1.3
)

// Kinds are all of them.
var Kinds = []Kind{ByID, ByTicket, ByPSK}

// Session is what a server has given to a client to come again with.
type Session struct {
	DER      []byte        // what libssl makes of it: it holds the session's secret
	Ticket   []byte        // nil: it is known by its id
	ID       []byte        // of TLS 1.2 without a ticket
	Hint     time.Duration // how long it lasts, as the server says
	MaxEarly uint32        // bytes of early data that the server would take
}

// Ask is a connection that is to be made.
type Ask struct {
	Address string // IP:PORT
	Name    string // the server name that is asked for; "": none
	Kind    Kind
	Session *Session // offered; nil: a full handshake
	Talk    Talk
	// Early sends the request as early data.
	Early bool
	// Before is an address that is sent the first bytes of this connection before, as somebody does who has seen them on
	// the wire: ClientHello and early data, byte for byte. "": none.
	Before string
	// Patience is how long all of it may take.
	Patience time.Duration
}

// Seen is how a connection went.
type Seen struct {
	Resumed     bool
	Early       bool // the early data was accepted
	Version     int  // as on the wire: 0x0303, 0x0304
	Wants       bool // the server asked for a certificate of the client: never on a resumption
	Cipher      string
	ALPN        string
	Certificate []byte    // DER; of a resumed session the one that it was made under
	Sessions    []Session // that the server has given, in their order
	Greeting    string    // what the server said before TLS
	Answer      string    // what it said first in TLS
}
