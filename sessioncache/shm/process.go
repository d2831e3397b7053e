package shm

import (
	"errors"
	"math"
	"syscall"
)

// alive reports whether a process is there. One of another pid namespace looks
// dead; what is done about a dead one is harmless to a live one.
func alive(pid uint64) bool {
	if pid == 0 || pid > math.MaxInt32 {
		return false
	}
	return !errors.Is(syscall.Kill(int(pid), 0), syscall.ESRCH)
}
