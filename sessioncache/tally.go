package sessioncache

// Tally counts what was done with a record. It lies in the store, is added to atomically by whoever uses the value, and may be
// another record's once this one has expired.
type Tally [tallyEnd]uint64

// What is counted of a secret of tickets.
const (
	TallyMade     = iota // tickets sealed under it
	TallyAccepted        // connections that resumed by one of these
	tallyEnd
)
