package sessioncache

// Tag is a keyed hash, short because every entry has three. Nobody can work one out without the
// key; that of a server name a client can only try, a handshake for each of 2^32.
type Tag [tagSize]byte

const tagSize = 4

// OwnerOf returns the tag of its owner, which a sealed entry begins with.
func OwnerOf(sealed []byte) Tag { return Tag(sealed) }
