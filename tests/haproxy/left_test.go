package haproxy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// Whether it is the worker that is told to end or the master that is killed, both end, and leave the
// store, its key and what HAProxy leaves: the next start resumes the sessions.
func TestNothingIsLeft(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		for name, end := range map[string]func(*server) error{
			"worker terminated": func(s *server) error { return s.Workers()[0].Kill(syscall.SIGTERM) },
			"master killed":     func(s *server) error { return s.Master().Kill(syscall.SIGKILL) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				left := func(preloaded bool) []string {
					s := newServer(t)
					if !preloaded {
						s.Env = nil
					}
					s.do(s.Start)
					old := s.pool(version)
					for _, p := range append(s.Workers(), s.Master()) {
						if shared := sharedFiles(p); len(shared) != 0 {
							t.Errorf("files that outlive their processes: %q", shared)
						}
					}
					processes := append(s.Workers(), s.Master())
					s.do(func() error { return end(s) })
					s.do(func() error { return ended(processes) })
					files := s.files()
					if preloaded {
						s.do(s.Start)
						s.resumesFromStore(version, old...)
					}
					return files
				}
				want := append(left(false), "gosess.log", "store", "store.key")
				slices.Sort(want)
				if got := left(true); !slices.Equal(got, want) {
					t.Errorf("%q is left, and not %q", got, want)
				}
			})
		}
	})
}

// files are the names of all that is below its directory, sorted.
func (s *server) files() []string {
	s.t.Helper()
	var names []string
	s.do(func() error {
		return filepath.WalkDir(s.Dir, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				names = append(names, strings.TrimPrefix(path, s.Dir+"/"))
			}
			return err
		})
	})
	return names
}

// sharedFiles are the named files of /dev/shm that a process has open or mapped.
func sharedFiles(p harness.Process) []string {
	var found []string
	for _, folder := range []string{"fd", "map_files"} {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/%s/*", p.PID, folder))
		for _, link := range links {
			if target, _ := os.Readlink(link); strings.HasPrefix(target, "/dev/shm/") && !strings.HasSuffix(target, " (deleted)") {
				found = append(found, target)
			}
		}
	}
	return found
}
