package nginx_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/tests/harness"
)

// Whatever is wrong with the store, the limits or the Go half, no handshake fails with GOSESS_TICKETS=shared, and tickets are resumed: under
// secrets, or under libssl's own keys, by which one configuration of nginx opens what it has sealed. A line says what is wrong.
func TestTicketsWithoutAStore(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, s *server, path string) // before it starts
		later   func(t *testing.T, s *server, path string) // while it serves
		says    string
	}{
		{"no Go half", func(t *testing.T, s *server, _ string) { s.Env = append(s.Env, "GOSESS_CORE="+s.Dir+"/nowhere.so") }, nil, "nowhere.so"},
		{"a Go half that fails", func(t *testing.T, s *server, _ string) {
			compile(t, "no_start.c", filepath.Join(s.Dir, "core.so"))
			s.Env = append(s.Env, "GOSESS_CORE="+s.Dir+"/core.so")
		}, nil, "will not start"},
		{"no store", func(t *testing.T, s *server, path string) { must(t, os.Mkdir(path, 0o755)) }, nil, "directory"},
		{"not a store", func(t *testing.T, s *server, path string) {
			must(t, os.WriteFile(path, []byte(strings.Repeat("not a store\n", 100000)), 0o600))
		}, nil, "allowed"},
		{"too few bytes of address space", func(t *testing.T, s *server, _ string) { s.Through = []string{"prlimit", "--as=700000000"} }, nil, "RLIMIT_AS"},
		{"too few bytes of data", func(t *testing.T, s *server, _ string) { s.Through = []string{"prlimit", "--data=60000000"} }, nil, "RLIMIT_DATA"},
		{"no memory to lock", func(t *testing.T, s *server, _ string) { s.Through = []string{"prlimit", "--memlock=0"} }, nil, ""},
		{"an older format", func(t *testing.T, s *server, path string) {
			s.do(s.Start)
			s.load(few("1.3")...)
			s.do(s.Stop)
			damage(t, path, 8) // its version
		}, nil, "kept as"},
		{"records overwritten", nil, func(t *testing.T, s *server, path string) { overwrite(t, path, 64, noise(16<<10)) }, ""},
		{"all overwritten", nil, func(t *testing.T, s *server, path string) { overwrite(t, path, 0, noise(damagedSize)) }, ""},
		{"full", nil, fillRecords, "no room"},
		{"cut short", nil, func(t *testing.T, s *server, path string) { must(t, os.Truncate(path, 0)) }, "cut short"},
		{"removed", nil, func(t *testing.T, s *server, path string) { must(t, os.Remove(path)) }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := system.TempDir(t)
			path := filepath.Join(dir, "store")
			clock := harness.NewClock(t, dir)
			s := ticketing(t, path, clock, 0, "1h")
			s.Env = replaced(s.Env, "?size=4m", "?size=1m")
			if test.prepare != nil {
				test.prepare(t, s, path)
			}
			s.do(s.Start)
			s.comeWithTickets(nil)
			if test.later != nil {
				before := [2][]string{s.pool("1.2", "--sessions", "20"), s.pool("1.3", "--sessions", "20")}
				test.later(t, s, path)
				s.comeWithTickets(before[:])
				clock.Set(clock.Now + 700) // the secrets that a worker has are of no use for new tickets
				s.comeWithTickets(nil)
			}
			s.saysAnyOf(test.says)
		})
	}
}

// fillRecords leaves no room for another secret.
func fillRecords(t *testing.T, _ *server, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer file.Close()
	mapping, err := syscall.Mmap(int(file.Fd()), 0, damagedSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	must(t, err)
	defer func() { must(t, syscall.Munmap(mapping)) }()
	store, err := shm.Open(mapping)
	must(t, err)
	cache, err := sessioncache.New(store, steal(t, path).sealingKeys())
	must(t, err)
	for i := 0; err == nil; i++ {
		err = cache.AddRecord(t.Context(), fmt.Sprint("filler ", i), []byte("filler"), time.Now().Unix()+3600)
	}
	if !errors.Is(err, sessioncache.ErrFull) {
		t.Fatal(err)
	}
}

func replaced(env []string, old, new string) (changed []string) {
	for _, entry := range env {
		changed = append(changed, strings.Replace(entry, old, new, 1))
	}
	return changed
}

// comeWithTickets wants clients of both versions served and resumed, and those that came before too.
func (s *server) comeWithTickets(before [][]string) {
	s.t.Helper()
	for _, old := range before {
		s.resumes(append(old, "--attempts", "40")...)
	}
	for _, version := range []string{"1.2", "1.3"} {
		s.resumes(few(version)...)
	}
}

// saysAnyOf takes whatever gosess has said for good, if there is a line with that text in it.
func (s *server) saysAnyOf(text string) {
	s.t.Helper()
	said := s.Said()
	s.says = len(said)
	if text != "" && !strings.Contains(strings.Join(said, "\n"), text) {
		s.t.Errorf("no %q in %q", text, said)
	}
}
