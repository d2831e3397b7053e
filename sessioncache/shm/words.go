package shm

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

const wordSize = 8

// words is memory that other processes read and write at the same time. Every
// access is atomic: that is what makes it correct where memory is weakly ordered,
// and what lets the race detector watch it. Where neither matters (see ordered), data that nobody may look at
// is written, and data that is looked at again is read, as fast as it can be. Positions are in words.
type words struct {
	w           []uint64
	beforeWrite func() // where tests stop a writer; nil otherwise
}

// wordsOf sees a mapping as words. False where it is not aligned for that.
func wordsOf(mapping []byte) (words, bool) {
	if len(mapping) < wordSize || uintptr(unsafe.Pointer(&mapping[0]))%wordSize != 0 {
		return words{}, false
	}
	return words{w: unsafe.Slice((*uint64)(unsafe.Pointer(&mapping[0])), len(mapping)/wordSize)}, true
}

func (m *words) load(at int) uint64 {
	return atomic.LoadUint64(&m.w[at])
}

// fetchWords has the lines of n words fetched from memory all at the same time, where one access after the other would
// wait for each.
func (m *words) fetchWords(at, n int) {
	for i := at; i < at+n; i += 64 / wordSize {
		fetch(&m.w[i])
	}
	fetch(&m.w[at+n-1])
}

func (m *words) store(at int, v uint64) {
	m.step()
	atomic.StoreUint64(&m.w[at], v)
}

func (m *words) cas(at int, old, v uint64) bool {
	m.step()
	return atomic.CompareAndSwapUint64(&m.w[at], old, v)
}

// add returns the new value.
func (m *words) add(at int, delta uint64) uint64 {
	m.step()
	return atomic.AddUint64(&m.w[at], delta)
}

func (m *words) step() {
	if m.beforeWrite != nil {
		m.beforeWrite()
	}
}

// plainMost is how many bytes are copied without atomic loads at the most: more, the runtime would copy with string
// instructions, of which nothing is said about the order of what they read.
const plainMost = 1024

// read copies n bytes to dst, which it grows where it must. Somebody may write to them meanwhile: whoever reads looks afterwards
// whether they are still what they were.
func (m *words) read(dst []byte, at, n int) []byte {
	padded := (n + wordSize - 1) / wordSize * wordSize
	if cap(dst) < padded {
		dst = make([]byte, padded)
	}
	dst = dst[:padded]
	if ordered && padded <= plainMost {
		copy(dst, m.bytes(at, padded/wordSize))
		return dst[:n]
	}
	from := m.w[at : at+padded/wordSize]
	for i := range from {
		binary.NativeEndian.PutUint64(dst[i*wordSize:], atomic.LoadUint64(&from[i]))
	}
	return dst[:n]
}

// write copies src, filling its last word up with zeroes. Nobody else looks at what it writes to.
func (m *words) write(at int, src []byte) {
	units := (len(src) + wordSize - 1) / wordSize
	if m.beforeWrite == nil && ordered {
		plain := m.bytes(at, units)
		clear(plain[copy(plain, src):])
		return
	}
	for ; len(src) >= wordSize; src = src[wordSize:] {
		m.store(at, binary.NativeEndian.Uint64(src))
		at++
	}
	if len(src) > 0 {
		var last [wordSize]byte
		copy(last[:], src)
		m.store(at, binary.NativeEndian.Uint64(last[:]))
	}
}

// zero clears n words that nobody looks at.
func (m *words) zero(at, n int) {
	if m.beforeWrite == nil && ordered {
		clear(m.w[at : at+n])
		return
	}
	for i := range n {
		m.store(at+i, 0)
	}
}

func (m *words) bytes(at, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(m.w[at:at+n]))), n*wordSize)
}

// isZero reports whether n words are zero.
func (m *words) isZero(at, n int) bool {
	all := uint64(0)
	from := m.w[at : at+n]
	for i := range from {
		all |= atomic.LoadUint64(&from[i])
	}
	return all == 0
}
