package live

// entry is a session that a Memory keeps.
type entry struct {
	id     string
	asked  Asked
	object Object
	size   int64 // in the budget
	large  bool
	due    due
	at     int // in the queue, from 1; 0 where it is not in it
}

// entryOverhead is what keeping a session takes beside the object and the server name:
// the entry, its id, its places in the map and in the queue.
const entryOverhead = 256

// entryHeap is what it takes of the Go heap, with what its map and its queue leave free.
const entryHeap = entryOverhead * 2

// heap is what it takes of the Go heap, with its server name.
func (e *entry) heap() int64 { return entryHeap + int64(len(e.asked.ServerName)) }

// due is when it is an entry's turn to leave.
type due struct {
	expires int64
	put     uint64 // counts the puts of the Memory: the older, the smaller
}

func (d *due) before(other *due) bool {
	return d.expires < other.expires || d.expires == other.expires && d.put < other.put
}
