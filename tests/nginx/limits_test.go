package nginx_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// A Go runtime ends its process where it cannot have the memory, the threads or the descriptors
// that it wants. Under limits that are too low for it nginx serves as it does without gosess.
func TestLimitsOfMemoryAndFiles(t *testing.T) {
	const kib = 1024
	for _, test := range []struct {
		name    string
		limits  []string
		workers int
		word    string
	}{
		{"little data", []string{"--data=" + strconv.Itoa(20000*kib)}, 2, "RLIMIT_DATA"},
		{"more data", []string{"--data=" + strconv.Itoa(100000*kib)}, 2, "RLIMIT_DATA"},
		{"little space", []string{"--as=" + strconv.Itoa(1100000*kib)}, 2, "RLIMIT_AS"},
		{"space for large stacks only", []string{"--as=" + strconv.Itoa(1500000*kib), "--stack=" + strconv.Itoa(65536*kib)}, 2, "RLIMIT_AS"},
		{"few descriptors", []string{"--nofile=16"}, 1, "RLIMIT_NOFILE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, "shm:?size=1m")
			s.WorkerCount = test.workers
			s.Through = append([]string{"prlimit"}, test.limits...)
			s.says = 1
			s.do(s.Start)
			for _, version := range []string{"1.2", "1.3"} {
				s.refuses(few(version, "--threads", "1")...) // descriptors are few for nginx too
			}
			for _, line := range s.Said() {
				if !strings.Contains(line, "serving without a cache") || !strings.Contains(line, test.word) {
					t.Errorf("no %s in %q", test.word, line)
				}
			}
		})
	}
}

// Four workers of one user start at the same time, with threads left for fewer of them: each
// takes what it needs, or does without. The limit is of a user whom nobody else is.
func TestLimitOfThreads(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may become another user")
	}
	s := newServer(t, "shm:?size=1m")
	s.WorkerCount = 4
	user := strconv.Itoa(1_000_000_000 + os.Getpid())
	s.Through = []string{"prlimit", "--nproc=50", "setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups"}
	id, _ := strconv.Atoi(user)
	err := filepath.Walk(s.Dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, id, id)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.says = 1
	s.do(s.Start)
	each(t, func(t *testing.T, version string) {
		s.t = t
		s.load("--tls", version, "--sessions", harness.Times(50), "--attempts", harness.Times(400))
	})
	s.t = t
	loaded := 0
	for _, worker := range s.Workers() {
		if worker.Maps(core) {
			loaded++
		}
	}
	if loaded == 0 || loaded == s.WorkerCount {
		t.Errorf("the Go half is in %d workers of %d", loaded, s.WorkerCount)
	}
}

// Where there is no Go half libssl's own cache is what it would be without gosess.
func TestOwnCacheWithoutACore(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t, anonymous)
		s.WorkerCount = 1
		s.SessionCache = "builtin:1000"
		s.Env = append(s.Env, "GOSESS_CORE="+filepath.Join(s.Dir, "nowhere.so"))
		s.says = 1
		s.do(s.Start)
		s.resumes(few(version)...)
	})
}

// The core lies beside the library, not beside a link to it.
func TestLibraryThroughALink(t *testing.T) {
	s, url := withStore(t)
	library, err := harness.Built("libgosess.so")
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(s.Dir, "link.so")
	if err := os.Symlink(library, link); err != nil {
		t.Fatal(err)
	}
	s.Env = []string{"LD_PRELOAD=" + link, "GOSESS_CACHE=" + url + "?size=16m"}
	s.do(s.Start)
	s.resumes(few("1.2")...)
	s.resumes(few("1.3")...)
}
