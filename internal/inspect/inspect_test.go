package inspect

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// counted is a store of the smallest size with one worker, this process, whose n-th counter is n+1.
func counted() []byte {
	content := make([]byte, shm.MinSize)
	copy(content, shm.Magic)
	le := binary.LittleEndian
	le.PutUint32(content[shm.VersionAt:], shm.Version)
	le.PutUint32(content[shm.SizeAt:], shm.HeaderSize)
	le.PutUint64(content[shm.TotalAt:], shm.MinSize)
	le.PutUint64(content[shm.CreatedAt:], 3600)
	le.PutUint32(content[shm.SumAt:], crc32.ChecksumIEEE(content[:shm.SumAt]))
	slot := content[shm.PlacesOf(len(content)).WorkersAt:]
	binary.NativeEndian.PutUint64(slot, uint64(os.Getpid()))
	for c := range sessioncache.CounterCount {
		binary.NativeEndian.PutUint64(slot[8*(8+c):], uint64(c+1))
	}
	return content
}

// wantCounted fails unless the store is what counted made.
func wantCounted(t *testing.T, s *Store) {
	t.Helper()
	st, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	for c, value := range st.Total {
		if value != uint64(c+1) {
			t.Errorf("%v: %d", sessioncache.Counter(c), value)
		}
	}
	if st.Size != shm.MinSize || st.Created != 3600 || len(st.Workers) != 1 || st.Workers[0].PID != os.Getpid() {
		t.Errorf("%+v", st)
	}
}

func TestByURL(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o400); err != nil {
			t.Fatal(err)
		}
		return "shm:" + path
	}
	url := write("good", counted())
	s, err := ByURL(url, ToRead)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantCounted(t, s)
	if s.Name != url {
		t.Errorf("name %q", s.Name)
	}
	other := counted()
	other[shm.VersionAt]++
	for url, word := range map[string]string{
		"shm":                        "shm",
		"shm:":                       "--pid PID",
		"memory:":                    "has no store",
		"shm:" + dir + "/no":         "no such file",
		"shm:" + dir:                 "not a regular file",
		write("empty", nil):          "not a gosess store",
		write("text", []byte(dir)):   "not a gosess store",
		write("version", other):      "another format version",
		write("cut", counted()[:99]): "damaged",
	} {
		if _, err := ByURL(url, ToRead); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", url, err, word)
		}
	}
}

// A store is read for longer than at one moment: the file may be cut short in between.
func TestCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	if err := os.WriteFile(path, counted(), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := ByURL("shm:"+path, ToRead)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stats(); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("error %v", err)
	}
	if err := os.Truncate(path, shm.MinSize); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stats(); err != nil {
		t.Errorf("whole again: %v", err)
	}
}

// holder maps a store in memory as the C half does, until its stdin is closed.
const holder = `#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void)
{
    int fd = memfd_create("gosess", 0);
    if (ftruncate(fd, 1 << 20) != 0 || mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
        return 1;
    printf("%d\n", fd);
    fflush(stdout);
    return getchar() != EOF;
}
`

// A store in memory is found through a process that has it mapped.
func TestByProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to open /proc/PID/map_files")
	}
	program := filepath.Join(t.TempDir(), "holder")
	cc := exec.Command("cc", "-D_GNU_SOURCE", "-o", program, "-x", "c", "-")
	cc.Stdin = strings.NewReader(holder)
	if output, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v: %s", err, output)
	}
	cmd := exec.Command(program)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	var fd int
	if _, err := fmt.Fscan(stdout, &fd); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/%d", cmd.Process.Pid, fd), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(counted())
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	s, err := ByProcess(cmd.Process.Pid, ToRead)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantCounted(t, s)
	if s.Name != fmt.Sprintf("of process %d", cmd.Process.Pid) {
		t.Errorf("name %q", s.Name)
	}
}
