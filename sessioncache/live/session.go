package live

import "gosess/sessioncache"

// Object is a live session outside Go. A Memory owns one reference to each that it keeps.
type Object uintptr

// Session is a live session and what a Memory must know of it.
type Session struct {
	ID []byte
	Asked
	Expires int64 // unix seconds; usable until then, included (L32)
	Size    int   // bytes that the object takes up
	Object  Object
}

// Asked is what a handshake in one context asks for.
type Asked struct {
	ServerName string   // "" where none; letters have no case
	AnyName    bool     // nobody can say which one
	Terms      [32]byte // as in [sessioncache.Origin], all 0 where they are not known
	Own        uint64   // how the connection verifies by itself, 0 where as its context does
	Demands    bool     // a certificate of the client
	Generation uint32   // of the contexts of the process
	Late       bool     // what the name leads to is only seen later
}

// fits reports whether a session of one handshake may be had by another that asks: under the same
// name, unless the terms are known to be others, or the contexts that the name may lead to have
// changed; and where one of them asked for no name, which is no other name (RFC 6066, section 3),
// only under terms that are known to be the same. One of which no name is known is had under any, as
// libssl has it.
func (a *Asked) fits(asks *Asked) bool {
	if a.Terms == asks.Terms && a.Own == asks.Own && a.Terms != unknown && (a.ServerName == "") != (asks.ServerName == "") {
		return true
	}
	return (a.AnyName || sessioncache.SameName(a.ServerName, asks.ServerName)) &&
		(a.Terms == asks.Terms || a.Terms == unknown || asks.Terms == unknown) &&
		(a.Own == asks.Own || !asks.Demands) &&
		(a.Generation == asks.Generation || !asks.Late)
}

var unknown [32]byte // of terms

// Reason says why an object left a Memory that was given another.
type Reason int

const (
	Evicted  Reason = iota // made way: libssl calls the remove callback
	Replaced               // by another under the same id: libssl does not (L18)
)

// Leaving is an object whose reference is the caller's again.
type Leaving struct {
	Object Object
	Reason Reason
}
