package live

// queue is a binary heap, the next to leave first. Most entries are added at its end and
// stay there, because the newest expires last. container/heap would cost an allocation
// and a few dozen indirect calls for each session.
type queue []queued

// queued has a copy of what is compared, because the entries themselves are far apart.
type queued struct {
	due
	entry *entry
}

// first is the next to leave, nil where there is none.
func (q queue) first() *entry {
	if len(q) == 0 {
		return nil
	}
	return q[0].entry
}

func (q *queue) add(e *entry) {
	*q = append(*q, queued{})
	q.up(len(*q)-1, queued{e.due, e})
}

// remove does nothing where the entry is not in the queue.
func (q *queue) remove(e *entry) {
	if e.at == 0 {
		return
	}
	last := len(*q) - 1
	moved := (*q)[last]
	(*q)[last] = queued{} // nothing keeps the entry alive
	*q = (*q)[:last]
	if moved.entry != e {
		q.put(e.at-1, moved)
	}
	e.at = 0
}

// move changes when the turn of an entry comes.
func (q queue) move(e *entry, d due) {
	e.due = d
	if e.at > 0 {
		q.put(e.at-1, queued{d, e})
	}
}

// put puts x in the place of i, or where it belongs from there.
func (q queue) put(i int, x queued) {
	if i > 0 && x.before(&q[(i-1)/2].due) {
		q.up(i, x)
	} else {
		q.down(i, x)
	}
}

func (q queue) up(i int, x queued) {
	for i > 0 {
		parent := (i - 1) / 2
		if !x.before(&q[parent].due) {
			break
		}
		q.set(i, q[parent])
		i = parent
	}
	q.set(i, x)
}

func (q queue) down(i int, x queued) {
	for {
		child := 2*i + 1
		if child >= len(q) {
			break
		}
		if other := child + 1; other < len(q) && q[other].before(&q[child].due) {
			child = other
		}
		if !q[child].before(&x.due) {
			break
		}
		q.set(i, q[child])
		i = child
	}
	q.set(i, x)
}

func (q queue) set(i int, x queued) {
	q[i] = x
	x.entry.at = i + 1
}
