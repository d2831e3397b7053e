package shm

import (
	"encoding/binary"

	"gosess/sessioncache"
)

// The data of an entry begins with a word that has the upper half of its tag in the lower half, and the tag of its owner, which
// what is sealed begins with, in the upper one.

// isOf reports whether the entry of a slot word is that of a key.
func (m *layout) isOf(p *spot, slot uint64) bool {
	return slot&slotKey == shortTag(p.tag) && m.sound(slot) && m.hasTag(p.set, slot, p.tag)
}

// hasTag reports whether the entry of a sound slot word has that tag.
func (m *layout) hasTag(set int, slot, tag uint64) bool {
	return uint32(m.load(m.data(set)+slotStart(slot))) == uint32(tag>>32)
}

// owner is the tag that what is sealed begins with.
func (m *layout) owner(set int, slot uint64) (owner sessioncache.Tag) {
	binary.LittleEndian.PutUint32(owner[:], uint32(m.load(m.data(set)+slotStart(slot))>>32))
	return owner
}

// writeEntry writes an entry that nobody looks at yet.
func (m *words) writeEntry(at int, tag uint64, sealed []byte) {
	var first [wordSize - tagLength]byte
	n := copy(first[:], sealed)
	m.store(at, uint64(binary.LittleEndian.Uint32(first[:]))<<32|tag>>32)
	m.write(at+1, sealed[n:])
}

// readEntry copies what is sealed to dst, which it grows where it must.
func (m *words) readEntry(dst []byte, at, n int) []byte {
	if cap(dst) < n+wordSize {
		dst = make([]byte, n+wordSize)
	}
	dst = dst[:n+wordSize]
	binary.LittleEndian.PutUint32(dst, uint32(m.load(at)>>32))
	if rest := n - (wordSize - tagLength); rest > 0 {
		m.read(dst[wordSize-tagLength:], at+1, rest)
	}
	return dst[:n]
}
