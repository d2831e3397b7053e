package nginx_test

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// overwrite writes bytes into a file that others have mapped.
func overwrite(t *testing.T, path string, at int64, data []byte) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(data, at); err != nil {
		t.Fatal(err)
	}
}

func noise(size int) []byte {
	data := make([]byte, size)
	rand.Read(data)
	return data
}

const damagedSize = 1 << 20

// Whatever becomes of the store's file under a server, the server lives, serves, and says in one
// line what has become of the file, unless the sessions are still there.
func TestDamagedStore(t *testing.T) {
	for _, test := range []struct {
		name    string
		damage  func(t *testing.T, path string)
		word    string // of the line; "" where there is none
		resumes bool   // those sessions from before
		stores  bool   // new ones
	}{
		{"cut to nothing", func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) }, "cut short", false, false},
		{"cut to half a set", func(t *testing.T, path string) { must(t, os.Truncate(path, 81920)) }, "cut short", false, false},
		{"overwritten", func(t *testing.T, path string) { overwrite(t, path, 0, noise(damagedSize)) }, "overwritten", false, false},
		{"overwritten by zeroes", func(t *testing.T, path string) { overwrite(t, path, 0, make([]byte, damagedSize)) }, "overwritten", false, true},
		{"header overwritten", func(t *testing.T, path string) { overwrite(t, path, 0, noise(64)) }, "", true, true},
		{"bits flipped", flipEverywhere, "damaged", false, true},
		{"removed", func(t *testing.T, path string) { must(t, os.Remove(path)) }, "", true, true},
		{"replaced", func(t *testing.T, path string) {
			write(t, path+".new", "something else\n")
			must(t, os.Rename(path+".new", path))
		}, "", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(system.TempDir(t), "store")
			s := started(t, "shm:"+path+"?size=1m")
			before := s.pool("1.2")
			s.resumes(before...)
			workers := s.Workers()
			test.damage(t, path)
			if r := s.load(before...); (r.Resumed == r.Attempts) != test.resumes || !test.resumes && r.Resumed > r.Attempts/2 {
				t.Errorf("of the sessions from before resumed %d of %d", r.Resumed, r.Attempts)
			}
			for _, version := range []string{"1.2", "1.3"} {
				if r := s.load(few(version)...); test.stores && r.Resumed != r.Attempts {
					t.Errorf("of new sessions resumed %d of %d", r.Resumed, r.Attempts)
				}
			}
			for _, worker := range workers {
				if !worker.Alive() {
					t.Errorf("a worker has ended")
				}
			}
			if test.word != "" {
				s.saysOnce(test.word)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// flipEverywhere flips a bit in each 64 bytes of the sets' data and leaves all else alone.
func flipEverywhere(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	must(t, err)
	// 31 sets, whose data lies behind 153 descriptors: docs/shm-format.md.
	const sets, count, size, before = 16960, 31, 33216, 64 + 153*24
	for at := range count {
		for i := sets + at*size + before; i < sets+(at+1)*size; i += 64 {
			data[i] ^= 1 << (i / 64 % 8)
		}
	}
	overwrite(t, path, 0, data)
}

// saysOnce wants one line of gosess, which holds a word.
func (s *server) saysOnce(word string) {
	s.t.Helper()
	s.says = 1
	for _, line := range s.Said() {
		if !strings.Contains(line, word) {
			s.t.Errorf("no %q in %q", word, line)
		}
	}
}

// A store of another format, older or newer, is kept aside: the server starts with an empty one.
func TestStoreOfAnotherVersion(t *testing.T) {
	for name, version := range map[string]uint32{"older": 3, "newer": 5, "much newer": 1 << 31} { // than 4
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(system.TempDir(t), "store")
			url := "shm:" + path + "?size=1m"
			s := started(t, url)
			s.resumes(few("1.2")...)
			s.do(s.Stop)
			header := make([]byte, 64)
			file, err := os.Open(path)
			must(t, err)
			_, err = file.ReadAt(header, 0)
			must(t, err)
			file.Close()
			binary.LittleEndian.PutUint32(header[8:], version)
			binary.LittleEndian.PutUint32(header[60:], crc32.ChecksumIEEE(header[:60]))
			overwrite(t, path, 0, header)
			s.do(s.Start)
			s.resumes(few("1.2")...)
			s.resumes(few("1.3")...)
			s.saysOnce("has another version: kept as " + path + ".old")
		})
	}
}

// Two servers open one path with different sizes: both serve, and the second says that the
// store stays as large as it is.
func TestTwoSizes(t *testing.T) {
	path := filepath.Join(system.TempDir(t), "store")
	for i, size := range []string{"2m", "1m", "3m"} {
		s := started(t, "shm:"+path+"?size="+size)
		each(t, func(t *testing.T, version string) {
			s.t = t
			s.resumes(few(version)...)
		})
		s.t = t
		if i > 0 {
			s.saysOnce("stays at size 2m, not " + size)
		}
	}
}

// onTmpfs has nginx start where a directory is a tmpfs of its own, of 4 MiB; before is a shell
// command to run there first. It returns the path of the directory as seen from outside.
func onTmpfs(t *testing.T, s *server, before string) (inside string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a tmpfs")
	}
	inside = filepath.Join(s.Dir, "tmpfs")
	must(t, os.Mkdir(inside, 0o755))
	script := `mount -t tmpfs -o size=4m none "$0" && cd "$0" && ` + before + ` && exec "$@"`
	s.Through = []string{"unshare", "-m", "sh", "-c", script, inside}
	return inside
}

// outside is the path of a file in the mounts of the server.
func (s *server) outside(path string) string {
	return fmt.Sprintf("/proc/%d/root%s", s.Master().PID, path)
}

// fill takes all the space that is left beside a file.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(t, err)
	defer file.Close()
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	if !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		t.Fatal(err)
	}
}

// A tmpfs that is full when the server starts, that becomes so while it serves, and one that
// has taken the store's pages away: a write to them is a fault.
func TestFullTmpfs(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		s := newServer(t, "")
		dir := onTmpfs(t, s, "head -c 3500000 /dev/zero >fill")
		s.Env, _ = harness.Preload("shm:" + dir + "/store?size=2m")
		s.servesWithout("2m", "disk")
	})
	t.Run("meanwhile", func(t *testing.T) {
		s := newServer(t, "")
		dir := onTmpfs(t, s, "true")
		s.Env, _ = harness.Preload("shm:" + dir + "/store?size=2m")
		s.do(s.Start)
		fill(t, s.outside(dir+"/fill"))
		s.resumes("--tls", "1.2", "--sessions", "2000", "--attempts", harness.Times(2000)) // more than ever before
		s.resumes(few("1.3")...)
	})
	t.Run("pages taken", func(t *testing.T) {
		s := newServer(t, "")
		dir := onTmpfs(t, s, "true")
		s.Env, _ = harness.Preload("shm:" + dir + "/store?size=2m")
		s.do(s.Start)
		before := s.pool("1.2")
		s.resumes(before...)
		workers := s.Workers()
		store, err := os.OpenFile(s.outside(dir+"/store"), os.O_RDWR, 0)
		must(t, err)
		const punchHole, keepSize = 2, 1                                                    // fallocate(2)
		must(t, syscall.Fallocate(int(store.Fd()), punchHole|keepSize, 36864, 2<<20-36864)) // all sets
		store.Close()
		fill(t, s.outside(dir+"/fill"))
		s.refuses(before...)
		for _, version := range []string{"1.2", "1.3"} {
			s.refuses(few(version)...)
		}
		for _, worker := range workers {
			if !worker.Alive() {
				t.Error("a worker has ended")
			}
		}
		s.saysOnce("cut short")
	})
}

// Limits that somebody lowers while the server runs, to a little more than it has just now.
func TestLimitsLoweredLater(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become www-data")
	}
	s := started(t, "shm:?size=1m")
	s.resumes(few("1.2")...)
	workers := s.Workers()
	const more = 32 << 20
	for _, worker := range workers {
		for _, limit := range []string{
			"--as=" + strconv.Itoa(worker.Memory("VmSize")+more), "--data=" + strconv.Itoa(worker.Memory("VmData")+more), "--memlock=0",
		} {
			if output, err := exec.Command("setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups", "prlimit", "--pid", strconv.Itoa(worker.PID), limit).CombinedOutput(); err != nil {
				t.Fatalf("prlimit %s: %v %s", limit, err, output)
			}
		}
	}
	each(t, func(t *testing.T, version string) {
		s.t = t
		s.load("--tls", version, "--sessions", harness.Times(500), "--attempts", harness.Times(3000), "--threads", "2")
	})
	s.t = t
	for _, worker := range workers {
		if !worker.Alive() {
			t.Error("a worker has ended")
		}
	}
}
