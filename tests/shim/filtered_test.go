package shim_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"gosess/tests/harness"
)

// deniable are the system calls of a process from loading the Go half to its end, as strace(1) shows
// them, and those that gosess makes to find out.
var deniable = []string{
	"brk", "clock_nanosleep", "clone", "clone3", "close", "epoll_create1", "epoll_ctl", "epoll_pwait",
	"eventfd2", "exit", "fcntl", "flock", "fstat", "futex", "getpid", "getrandom", "gettid", "madvise",
	"mlock", "mmap", "mprotect", "munmap", "nanosleep", "newfstatat", "openat", "prctl", "pread64",
	"prlimit64", "read", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigtimedwait",
	"sched_getaffinity", "sched_yield", "set_robust_list", "sigaltstack", "tgkill", "uname", "wait4", "write",
}

// Does every host live, and do its handshakes, that lives without gosess where a system call is denied?
func TestDeniedCalls(t *testing.T) {
	var lived atomic.Int32
	t.Run("each", func(t *testing.T) {
		for i, call := range deniable {
			for j, who := range []string{"inherited", "own", "early", "number"} {
				for k, action := range []string{"EPERM", "ENOSYS", "kill"} {
					caches := []string{"memory:", "shm:?size=1m"}
					if !harness.All() {
						caches = caches[(i+j+k)/2%2:][:1]
					}
					if unknowable(who, action, call) || !harness.All() && (i+j+k)%2 == 1 {
						continue
					}
					t.Run(strings.Join([]string{who, action, call}, " "), func(t *testing.T) {
						t.Parallel()
						without := plain(t, "filtered", who, action, call)
						if _, err := without.end(t); err != nil {
							return // it needs the call itself
						}
						lived.Add(1)
						for _, cache := range caches {
							h := served(t, "filtered", who, action, call)
							h.cache = cache
							if s := h.run(t); len(s.lines) > 1 {
								t.Errorf("logged %q", s.lines)
							}
						}
					})
				}
			}
		}
	})
	if lived.Load() < 150 {
		t.Errorf("only %d hosts lived without gosess", lived.Load())
	}
}

// unknowable are the filters that nobody can find out about and live: a child that would die in the
// place of an inheritor is made by clone, and who filters itself by the call's number is asked by prctl.
// And libc itself does not live where brk answers with an errno, which it takes for an address.
func unknowable(who, action, call string) bool {
	if call == "brk" && action != "kill" {
		return true
	}
	return action == "kill" && (who == "inherited" && call == "clone" || who == "number" && call == "prctl")
}

// Does the line name the call, and is libssl's own cache back?
func TestDeniedCallIsNamed(t *testing.T) {
	for _, test := range []struct{ who, action, call, says string }{
		{"inherited", "EPERM", "epoll_ctl", "epoll_ctl is denied here (seccomp): Operation not permitted"},
		{"inherited", "kill", "sigaltstack", "sigaltstack is denied here (seccomp): it kills"},
		{"own", "kill", "munmap", "filters its own system calls"},
	} {
		s := served(t, "filtered", test.who, test.action, test.call).run(t)
		s.logs(t, test.says)
	}
	for _, cache := range []string{"memory:", "shm:?size=1m"} {
		h := served(t, "filtered", "inherited", "kill", "none") // a filter that denies nothing costs nothing
		h.cache = cache
		h.run(t).logs(t)
	}
	if !slices.IsSorted(deniable) {
		t.Error("not sorted")
	}
}
