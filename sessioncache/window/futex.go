package window

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// The futexes are shared: not FUTEX_PRIVATE_FLAG (futex(2)).
const (
	futexWait = 0
	futexWake = 1

	clockMonotonic = 1
)

// Now is CLOCK_MONOTONIC in nanoseconds, which all processes of a machine read alike.
func Now() int64 {
	var t syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

// wait returns when the word is another one, somebody wakes it, a signal comes, or time is over.
func wait(word *atomic.Uint32, value uint32, most time.Duration) {
	t := syscall.NsecToTimespec(int64(max(most, 0)))
	_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, uintptr(value), uintptr(unsafe.Pointer(&t)), 0, 0)
}

func wake(word *atomic.Uint32) {
	_, _, _ = syscall.RawSyscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1, 0, 0, 0)
}
