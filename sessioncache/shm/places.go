package shm

// Places are where everything is in a store, in bytes, and how many of each.
type Places struct {
	RecordsAt, RecordsEnd, RecordSize int // the first one, after the root
	Workers, WorkersAt, WorkerSize    int
	Rows, RowsAt, RowSize             int
	Sets, SetsAt, SetSize             int
}

// PlacesOf are those of a store of some size, without the window.
func PlacesOf(size int) Places {
	p := Places{
		Workers: min(size/workerShare, workersMost), WorkerSize: workerSize,
		Rows: min(size/rowShare, rowsMost), RowSize: rowSize,
		RecordsAt: recordSlot(0), RecordsEnd: recordsEnd(size), RecordSize: recordSize,
	}
	p.WorkersAt = (p.RecordsEnd + lineSize - 1) / lineSize * lineSize
	p.RowsAt = p.WorkersAt + p.Workers*workerSize
	p.SetsAt = p.RowsAt + p.Rows*rowSize
	total := size/wordSize - p.SetsAt
	p.Sets = total / setSize
	p.SetSize = total / p.Sets / setHeaderSize * setHeaderSize
	for _, words := range []*int{&p.RecordsAt, &p.RecordsEnd, &p.RecordSize, &p.WorkersAt, &p.WorkerSize, &p.RowsAt, &p.RowSize, &p.SetsAt, &p.SetSize} {
		*words *= wordSize
	}
	return p
}
