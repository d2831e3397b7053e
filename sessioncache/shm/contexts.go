package shm

import (
	"encoding/binary"
	"slices"

	"gosess/sessioncache"
)

// A row counts what one process does for one context, in lines that no other process writes to. What finds no row is in the
// counters of its worker alone. A process that goes on for a dead one has its row, so the rows of a context add up to what was
// ever counted for it, until one of them is needed for another context.

// LabelSize is how many bytes of a label are kept.
const LabelSize = labelWords * wordSize

// Row finds the row of this process and a context, or makes one: the zero Row where there is no room.
func (s *Store) Row(owner sessioncache.Tag, label string, now int64) sessioncache.Row {
	at := s.claimRow(owner)
	if at == 0 {
		return 0
	}
	if s.load(at+rowOwner) != readyOf(owner) {
		s.store(at+rowOwner, 0)
		for c := range counterRoom {
			s.store(at+rowCounts+c, 0)
		}
		s.store(at+rowStart, uint64(now))
		var text [LabelSize]byte
		copy(text[:], label)
		for i := range labelWords {
			s.store(at+rowLabel+i, binary.LittleEndian.Uint64(text[i*wordSize:]))
		}
		s.store(at+rowOwner, readyOf(owner))
	}
	return sessioncache.Row(at)
}

func readyOf(owner sessioncache.Tag) uint64 {
	return rowReady | uint64(binary.LittleEndian.Uint32(owner[:]))
}

// claimRow returns the position of a row that is this process's from now on, 0 where all are of living ones. Where another process
// was quicker, which then has the row that this one was about to take, there may be a further one.
func (s *Store) claimRow(owner sessioncache.Tag) (at int) {
	for range s.rows + 1 {
		var late bool
		if at, late = s.tryRow(owner); !late {
			return at
		}
	}
	return 0
}

// tryRow looks for a row that this process, or a dead one, had for that context, for an unused one, and for the oldest of a dead process.
func (s *Store) tryRow(owner sessioncache.Tag) (at int, late bool) {
	free, dead := 0, 0
	for i := range s.rows {
		at := s.rowsAt + i*rowSize
		holder := s.load(at + rowPID)
		switch {
		case holder == 0:
			if free == 0 {
				free = at
			}
		case s.load(at+rowOwner) == readyOf(owner):
			if holder == s.pid || !alive(holder) && s.cas(at+rowPID, holder, s.pid) {
				return at, false
			}
		case !alive(holder) && (dead == 0 || s.load(at+rowStart) < s.load(dead+rowStart)):
			dead = at
		}
	}
	if free != 0 {
		return free, !s.cas(free+rowPID, 0, s.pid)
	}
	if dead == 0 {
		return 0, false
	}
	holder := s.load(dead + rowPID)
	return dead, alive(holder) || !s.cas(dead+rowPID, holder, s.pid)
}

// CountFor adds to a counter of this process, and to that of a context.
func (s *Store) CountFor(row sessioncache.Row, c sessioncache.Counter, n int64) {
	s.add(s.worker+workerCounts+int(c), uint64(n))
	if row != 0 {
		s.add(int(row)+rowCounts+int(c), uint64(n))
	}
}

// CountersOf are those of this process, which may be shared with others, and of a row.
func (s *Store) CountersOf(row sessioncache.Row) (process, context *sessioncache.Counters) {
	process = (*sessioncache.Counters)(s.w[s.worker+workerCounts:])
	if row != 0 {
		context = (*sessioncache.Counters)(s.w[int(row)+rowCounts:])
	}
	return process, context
}

// readContexts adds the rows of each context up, in the order in which they began.
func (m *layout) readContexts() (all []sessioncache.Context) {
	where, lives := map[sessioncache.Tag]int{}, map[uint64]bool{} // thousands of rows are of few contexts and processes
	for i := range m.rows {
		at := m.rowsAt + i*rowSize
		pid, owner := m.load(at+rowPID), m.load(at+rowOwner)
		if pid == 0 || owner&rowReady == 0 {
			continue
		}
		var tag sessioncache.Tag
		binary.LittleEndian.PutUint32(tag[:], uint32(owner))
		n, known := where[tag]
		if !known {
			n = len(all)
			where[tag] = n
			all = append(all, sessioncache.Context{Owner: tag, Label: m.label(at), Started: int64(m.load(at + rowStart))})
		}
		c := &all[n]
		c.Started = min(c.Started, int64(m.load(at+rowStart)))
		c.Workers = append(c.Workers, int(pid))
		if _, known := lives[pid]; !known {
			lives[pid] = alive(pid)
		}
		c.Live = c.Live || lives[pid]
		for counter := range c.Counters {
			c.Counters[counter] += m.load(at + rowCounts + counter)
		}
	}
	slices.SortStableFunc(all, func(a, b sessioncache.Context) int { return int(a.Started - b.Started) })
	return all
}

// label is what a row says of its context: anything may stand there, so only what is printed as it is.
func (m *layout) label(row int) string {
	var text []byte
	for i := range labelWords {
		text = binary.LittleEndian.AppendUint64(text, m.load(row+rowLabel+i))
	}
	for i, c := range text {
		if c == 0 {
			return string(text[:i])
		}
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' {
			text[i] = '?'
		}
	}
	return string(text)
}
