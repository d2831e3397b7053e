package sessioncache

// News is told what a [Cache] has done to its store, so that other stores can be told of it. It is called
// after that is done, by the thread that did it, and waits for nobody.
type News interface {
	Stored(key *LookupKey, expires uint32)
	Removed(key *LookupKey, expires uint32) // what would have ended then
	Flushed(owner *Tag, before uint32)
	Made(key *LookupKey, expires uint32) // a record
}

// silence is where nobody hears of it.
type silence struct{}

func (silence) Stored(*LookupKey, uint32)  {}
func (silence) Removed(*LookupKey, uint32) {}
func (silence) Flushed(*Tag, uint32)       {}
func (silence) Made(*LookupKey, uint32)    {}
