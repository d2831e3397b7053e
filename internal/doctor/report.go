package doctor

import (
	"crypto/sha256"
	"strconv"
	"time"

	"gosess/internal/probe"
)

// Report is everything that was found out about a service.
type Report struct {
	Targets     []string    `json:"targets"`
	Name        string      `json:"name"` // the server name that was asked for
	When        time.Time   `json:"when"`
	Library     string      `json:"library"`
	Connections int         `json:"connections"`
	Failed      int         `json:"failed"`
	Failure     string      `json:"failure,omitempty"` // why, the last time
	Server      string      `json:"server"`            // that it was recognised as; "" for others
	Header      string      `json:"header,omitempty"`  // what it calls itself
	Addresses   []*Address  `json:"addresses"`
	LeftOut     int         `json:"leftOut"` // addresses beyond those that are looked at
	Unreached   []Unreached `json:"unreached"`
	Ways        []*Way      `json:"ways"`
	Keys        Keys        `json:"ticketKeys"`
	Crossings   []Crossing  `json:"crossings"`
	Reuse       *Reuse      `json:"tls13Tickets,omitempty"`
	Since       *Since      `json:"since,omitempty"`
	Lasting     []*Lasting  `json:"lasting,omitempty"`

	Findings     []Finding `json:"findings"`
	Expectations []Judged  `json:"expectations"`

	preload string // Options.Preload
}

// way is the way of that name; nil where it was not tried.
func (r *Report) way(name string) *Way {
	for _, way := range r.Ways {
		if way.Name == name {
			return way
		}
	}
	return nil
}

// addresses are the texts of all.
func (r *Report) addresses() []string {
	var texts []string
	for _, address := range r.Addresses {
		texts = append(texts, address.Address)
	}
	return texts
}

// Unreached is an address at which no handshake was made.
type Unreached struct {
	Address string `json:"address"`
	Why     string `json:"why"`
	noWay   bool   // from here
}

// Address is one address of the service.
type Address struct {
	Address string          `json:"address"`
	Header  string          `json:"header,omitempty"`
	Full    map[string]Full `json:"full"` // how the first full handshake of each way went
	failed  int             // connections in a row
}

// Full is what a full handshake showed.
type Full struct {
	Certificate string   `json:"certificate"` // the beginning of its SHA-256
	Cipher      string   `json:"cipher"`
	Gives       string   `json:"gives"` // what the client may come again with
	Tickets     int      `json:"tickets"`
	Hint        Duration `json:"hint"`
	Early       uint32   `json:"earlyData"`
	Verified    bool     `json:"clientsVerified"` // clients are asked for certificates
	names       []string // of the certificate
}

// Duration is written in seconds.
type Duration time.Duration

// MarshalJSON writes seconds.
func (d Duration) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(d).Seconds(), 'f', -1, 64), nil
}

// What a client may come again with.
const (
	givesNothing = "nothing"
	givesID      = "session id"
	givesTicket  = "ticket"
	givesNumber  = "ticket that names a session of the server" // stateful
)

// Tally counts visits of clients that come again.
type Tally struct {
	Visits  int `json:"visits"`
	Resumed int `json:"resumed"`
	Refused int `json:"refused"` // something was offered, and the handshake was a full one
	Nothing int `json:"nothing"` // the client had nothing left to offer
}

// Offered is how often something was offered.
func (t Tally) Offered() int { return t.Resumed + t.Refused }

// Way is what became of clients of one kind.
type Way struct {
	Kind      probe.Kind `json:"-"`
	Name      string     `json:"way"`
	Spoken    bool       `json:"spoken"` // the server has that version
	Gives     string     `json:"gives"`
	Hint      Duration   `json:"hint"`
	Fulls     int        `json:"fullHandshakes"`
	Given     int        `json:"given"` // of these, those that gave a session
	Same      Tally      `json:"sameAddress"`
	Other     Tally      `json:"otherAddress"`
	Renewed   int        `json:"renewed"` // resumptions that came with another ticket
	AtLeast   float64    `json:"atLeast"` // the fraction that is resumed, of what is offered, with 99 % confidence each
	AtMost    float64    `json:"atMost"`
	Groups    [][]string `json:"groups"` // addresses that resume each other's
	groupings groupings
}

// wayTitles are for people.
var wayTitles = map[string]string{
	"tls12-id":     "TLS 1.2, clients without tickets",
	"tls12-ticket": "TLS 1.2",
	"tls13":        "TLS 1.3",
}

// Title is the way in words for people.
func (w *Way) Title() string { return wayTitles[w.Name] }

// All are the visits of both sorts.
func (w *Way) All() Tally {
	s, o := w.Same, w.Other
	return Tally{s.Visits + o.Visits, s.Resumed + o.Resumed, s.Refused + o.Refused, s.Nothing + o.Nothing}
}

// Percent is how many of a hundred visits are resumed, as clients see it.
func (w *Way) Percent() float64 {
	all := w.All()
	if all.Visits == 0 {
		return 0
	}
	return 100 * float64(all.Resumed) / float64(all.Visits)
}

// Keys are the keys of tickets, by the names that tickets begin with.
type Keys struct {
	NameBytes int    `json:"nameBytes"` // how long a name is; 0: the tickets seen show none
	Keys      []Key  `json:"keys"`
	Default   string `json:"default,omitempty"` // what everybody can guess of them
	tickets   []sampled
	wholes    int // of the tickets, those that are whole
}

// sampled is a ticket, or its beginning, with the address that gave it.
type sampled struct {
	ticket  []byte
	sum     [sha256.Size]byte // of all of it
	address string
}

// Key is one key.
type Key struct {
	Name      string     `json:"name"` // hexadecimal
	Addresses []string   `json:"addresses"`
	Tickets   int        `json:"tickets"`
	FirstSeen *time.Time `json:"firstSeen,omitempty"` // by an earlier run
	sample    []byte     // a ticket under it
}

// Crossing is what becomes of a session under another name than the one that it was made for.
type Crossing struct {
	Way      string `json:"way"`
	From     string `json:"from"`
	To       string `json:"to"`
	Resumed  bool   `json:"resumed"`
	SameCert bool   `json:"sameCertificate"` // a full handshake shows the same one for both names
	Verified bool   `json:"clientsVerified"` // under one of the names clients are asked for certificates
}

// Reuse is what becomes of a TLS 1.3 ticket that is offered twice.
type Reuse struct {
	Twice       bool   `json:"acceptedTwice"`
	TwiceOther  bool   `json:"acceptedTwiceElsewhere"` // the second time at another address
	Early       uint32 `json:"earlyData"`
	Accepted    bool   `json:"earlyDataAccepted"`
	Replayed    bool   `json:"replayed"` // the same bytes once more
	ReplayOther bool   `json:"replayedElsewhere"`
}

// Since is what has become of what an earlier run has left.
type Since struct {
	When     time.Time `json:"when"`
	Sessions []Kept    `json:"sessions"`
	NewKeys  int       `json:"newKeys"`
	OldKeys  int       `json:"oldKeys"` // that are in use again
}

// Kept is a session of an earlier run.
type Kept struct {
	Way     string   `json:"way"`
	Address string   `json:"address"`
	Age     Duration `json:"age"`
	Hint    Duration `json:"hint"`
	Resumed bool     `json:"resumed"`
}

// Lasting is how long sessions of one way lasted, as far as it was tried.
type Lasting struct {
	Way      string   `json:"way"`
	Resumed  Duration `json:"resumed"`    // the greatest age at which one was
	Refused  Duration `json:"refused"`    // the least age from which on none was; 0: all were
	Chain    Duration `json:"chain"`      // how long one session followed from another
	ChainEnd bool     `json:"chainEnded"` // it was broken then
	Hint     Duration `json:"hint"`
}

// lifetime is how long a session of an earlier run lasts: as the server has said, of one without a ticket as it says of tickets, which
// servers have one line for, and where it says nothing libssl's five minutes.
func (r *Report) lifetime(kept Kept) time.Duration {
	shortest := time.Duration(kept.Hint)
	for _, way := range r.Ways {
		if hint := time.Duration(way.Hint); kept.Hint == 0 && hint > 0 && (shortest == 0 || hint < shortest) {
			shortest = hint
		}
	}
	if shortest == 0 {
		return 5 * time.Minute
	}
	return shortest
}

// lasting is what is known of that way.
func (r *Report) lasting(way string) *Lasting {
	for _, lasting := range r.Lasting {
		if lasting.Way == way {
			return lasting
		}
	}
	return nil
}

// A Level is how bad a finding is.
type Level string

// The levels.
const (
	Fault  Level = "fault"  // clients or secrets suffer
	Remark Level = "remark" // worth knowing
)

// Finding is a sentence, what follows from it, and how it is changed.
type Finding struct {
	Code        string   `json:"code"`
	Level       Level    `json:"level"`
	What        string   `json:"what"`
	Consequence string   `json:"consequence"`
	Cure        []string `json:"cure"` // lines
}

// Judged is what has become of an expectation.
type Judged struct {
	Expectation string `json:"expectation"`
	Holds       bool   `json:"holds"`
	Found       string `json:"found"`
}

// Faults are how many findings are faults.
func (r *Report) Faults() int {
	count := 0
	for _, finding := range r.Findings {
		if finding.Level == Fault {
			count++
		}
	}
	return count
}
