package sessioncache

// Origin is what two handshakes must have in common to share a session, beyond its
// id, and where a session came from. A name is in common also where one of them asked for none (RFC 6066,
// section 3: a resumption may leave it out). The owner is not compared.
type Origin struct {
	Owner      [32]byte // random bytes of one context of one running configuration, which its forked workers share
	Terms      [32]byte // digest of what a full handshake presents and demands: certificates, client policy
	ServerName string   // that was asked for, "" where none; letters have no case
	Row        Row      // where lookups and stores are counted, beside the worker's counters
	Flushed    int64    // unix seconds: the context that asks has flushed what ends before, of others too
}

// Session is what OpenSSL made of a handshake.
type Session struct {
	ID      []byte
	DER     []byte
	Expires int64 // unix seconds; usable until then, included (L32)
}

// Seal is what one sealing of a session shares with no other: a session that is found under
// the same seal again is the same one.
type Seal [prefixSize + counterSize]byte

// Stored is what a store says of a session beside its DER.
type Stored struct {
	Expires int64 // what Put was told; the DER may not say
	Seal    Seal
	Absent  bool // of what was not found: nothing is stored under its id, not even for others
}

// What is sealed, and what a sealed entry begins with: seal.go.
const (
	sessionHead = 2 * tagSize // what is sealed before the DER: the tags of the terms and of the server name
	sealedHead  = tagSize + len(Seal{})
	sealedExtra = sealedHead + sessionHead + gcmTag
)
