package system

import (
	"fmt"
	"syscall"
)

// NoDumps keeps the password and sealed sessions out of core dumps, and other processes of the same user out of this one's memory: also
// where no service manager has seen to that, and nobody was root.
func NoDumps() error {
	const setDumpable = 4 // PR_SET_DUMPABLE of prctl(2)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setDumpable, 0, 0); errno != 0 {
		return fmt.Errorf("prctl: %w", errno)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("setrlimit: %w", err)
	}
	return nil
}
