package window

import "fmt"

// LogRead is how far an agent has read the log of the fleet for this store: a position that the far store has given, "" where none has.
func (w *Window) LogRead() (position string) {
	time, number := w.u64(LogAt).Load(), w.u64(LogAt+8).Load()
	if time == 0 && number == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%d", time, number)
}

// SetLogRead says so. What is no position of a log is none.
func (w *Window) SetLogRead(position string) {
	var time, number uint64
	if n, _ := fmt.Sscanf(position, "%d-%d", &time, &number); n != 2 {
		time, number = 0, 0
	}
	w.u64(LogAt).Store(time)
	w.u64(LogAt + 8).Store(number)
}
