package far

import "encoding/binary"

// Pushed is an entry that a machine has stored, on its way to the near stores of all others. That it may be lost costs one
// of them a Get.
type Pushed struct {
	Key   Key
	Entry Entry
}

// A message is the version, a letter, the machine that has stored the entries, and for each of them its key, the size of its value, and the value.
const (
	kindPush    = 'p'
	messageHead = 1 + 1 + len(Machine{})
	pushedHead  = len(Key{}) + 2
	// MaxMessage is the size of the largest message.
	MaxMessage = 64 << 10
)

// BeginMessage is a message without entries.
func BeginMessage(from Machine) []byte {
	return append([]byte{version, kindPush}, from[:]...)
}

// AppendPushed appends an entry to a message, and reports whether there was room.
func AppendPushed(message []byte, p *Pushed) ([]byte, bool) {
	size := headSize + len(p.Entry.Sealed)
	if len(p.Entry.Sealed) > MaxSealed || len(message)+pushedHead+size > MaxMessage {
		return message, false
	}
	message = append(message, p.Key[:]...)
	message = binary.LittleEndian.AppendUint16(message, uint16(size))
	return p.Entry.Append(message), true
}

// ParseMessage reads a message, whoever wrote it, at a time in unix seconds. The entries are those that have not ended; their
// bytes are the message's.
func ParseMessage(text []byte, now int64) (from Machine, entries []Pushed, ok bool) {
	if len(text) < messageHead || len(text) > MaxMessage || text[0] != version || text[1] != kindPush {
		return from, nil, false
	}
	from = Machine(text[2:])
	for text = text[messageHead:]; len(text) > 0; {
		if len(text) < pushedHead {
			return from, nil, false
		}
		key, size := Key(text), int(binary.LittleEndian.Uint16(text[len(Key{}):]))
		if text = text[pushedHead:]; size > len(text) {
			return from, nil, false
		}
		if e, ok := Parse(text[:size:size], now); ok {
			entries = append(entries, Pushed{key, e})
		}
		text = text[size:]
	}
	return from, entries, true
}
