package shm

import (
	"encoding/binary"
	"math/bits"

	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// layout is a mapping and where everything is in it, in words.
type layout struct {
	words
	header
	mapping   []byte // with the window
	workersAt int
	workers   int
	rowsAt    int
	rows      int
	setsAt    int
	sets      int
	setSize   int
	units     int // words of data of a set
}

func layoutOf(mapping []byte) (layout, error) {
	h, err := readHeader(mapping)
	if err != nil {
		return layout{}, err
	}
	own := h.own(mapping)
	w, ok := wordsOf(mapping[:own])
	if !ok {
		return layout{}, ErrDamaged
	}
	m := layout{words: w, header: h, mapping: mapping}
	p := PlacesOf(own)
	m.workers, m.workersAt = p.Workers, p.WorkersAt/wordSize
	m.rows, m.rowsAt = p.Rows, p.RowsAt/wordSize
	m.sets, m.setsAt, m.setSize = p.Sets, p.SetsAt/wordSize, p.SetSize/wordSize
	m.units = m.setSize - setHeaderSize - setGroups*groupSize
	return m, nil
}

// window is the end of the store of a fleet, nil for others.
func (m *layout) window() *window.Window {
	if !m.fleet {
		return nil
	}
	return window.Open(m.mapping[m.own(m.mapping):])
}

// spot is where the entry of a key may be.
type spot struct {
	tag    uint64
	set    int
	groups [keyGroups]int // positions, in the order in which they are looked at
}

func (m *layout) spotOf(key *sessioncache.LookupKey) spot {
	le := binary.LittleEndian
	// Other bytes than those of the tag, which would else be alike within a set.
	set, rest := bits.Mul64(le.Uint64(key[8:]), uint64(m.sets))
	group, rest := bits.Mul64(rest, uint64(setGroups))
	step, _ := bits.Mul64(rest, uint64(setGroups-1))
	p := spot{tag: le.Uint64(key[:]), set: m.setsAt + int(set)*m.setSize}
	for i := range p.groups {
		p.groups[i] = p.set + setHeaderSize + int(group)*groupSize
		// The number of groups is a prime, so no two are the same.
		if group += step + 1; group >= uint64(setGroups) {
			group -= uint64(setGroups)
		}
	}
	return p
}

// fetchLines has the header of the set and the groups fetched from memory all at the same time, where what comes then
// would wait for one after the other.
func (m *layout) fetchLines(p *spot, toWrite bool) {
	fetch(&m.w[p.set])
	for _, group := range p.groups {
		fetch(&m.w[group])
		if toWrite {
			fetch(&m.w[group+ofSlot])
		}
	}
}

// setOf is the set that a position is in.
func (m *layout) setOf(at int) int { return m.setsAt + (at-m.setsAt)/m.setSize*m.setSize }

// slot is the position of the n-th slot word of a set.
func (m *layout) slot(set, n int) int {
	return set + setHeaderSize + n/groupSlots*groupSize + n%groupSlots
}

// number is which slot of its set a position is.
func (m *layout) number(set, at int) int {
	n := at - set - setHeaderSize
	return n/groupSize*groupSlots + n%groupSize
}

func (m *layout) data(set int) int { return set + setHeaderSize + setGroups*groupSize }

// sound reports whether a slot word can be one: anything may stand in the mapping.
func (m *layout) sound(slot uint64) bool { return slotLength(slot) > 0 && slotEnd(slot) <= m.units }

// most is how many units, the first ones of a set's data, an entry of that size may lie in.
func (m *layout) most(need int) int {
	if need > largeUnits {
		return m.units / largePart
	}
	return m.units
}
