package config_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// What is not ours, or open to others, is refused and stays as it is.
func TestRefusedFiles(t *testing.T) {
	write := func(content string) func(path string) error {
		return func(path string) error { return os.WriteFile(path, []byte(content), 0o600) }
	}
	mode := func(mode os.FileMode) func(path string) error {
		return func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Chmod(path, mode)
		}
	}
	tests := []struct {
		name    string
		make    func(path string) error
		word    string
		root    bool
		allowed string
	}{
		{"text", write("a letter\n"), "is not a store", false, "a new name"},
		{"part of the magic", write("gosess"), "is not a store", false, "a new name"},
		{"zeros", write(string(make([]byte, mib))), "is not a store", false, "a new name"},
		{"directory", func(path string) error { return os.Mkdir(path, 0o700) }, "a directory", false, "a regular file"},
		{"symbolic link", func(path string) error { return os.Symlink("/etc/passwd", path) }, "a symbolic link", false, "a regular file"},
		{"dangling link", func(path string) error { return os.Symlink("nowhere", path) }, "a symbolic link", false, "a regular file"},
		{"FIFO", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "a FIFO", false, "a regular file"},
		{"device", func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|3) }, "a device", true, "a regular file"},
		{"hard link", func(path string) error {
			if err := os.WriteFile(path+".other", nil, 0o600); err != nil {
				return err
			}
			return os.Link(path+".other", path)
		}, "2 names", false, "one"},
		{"group", mode(0o640), "0640", false, "0600"},
		{"others", mode(0o602), "0602", false, "0600"},
		{"another's", func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Chown(path, 33, 33)
		}, "user 33", true, "the user that starts"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.root && os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "web")
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			there := names(t, dir)
			for _, what := range []string{"check", "open"} {
				bad(t, []string{path, test.word, "allowed: ", test.allowed}, nil, what, url(path), "")
			}
			after, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if before.Mode() != after.Mode() || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()) {
				t.Errorf("it was %v, is %v", before, after)
			}
			if got := names(t, dir); !slices.Equal(got, there) {
				t.Errorf("there were %q, are %q", there, got)
			}
		})
	}
}

func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"open", "check"} {
		bad(t, []string{dir + "/no", "missing", "allowed: "}, nil, what, url(dir+"/no/web"), "")
		bad(t, []string{file + "/web", "Not a directory"}, nil, what, url(file+"/web"), "")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, what := range []string{"open", "check"} {
		bad(t, []string{closed, "Permission denied", "allowed: "}, []string{"DRIVER_USER=33"}, what, url(closed+"/web"), "")
	}
	good(t, "open", url(dir+"/web"), "") // by root
	for _, what := range []string{"open", "check"} {
		bad(t, []string{dir + "/web", "belongs to user 0", "allowed: the user that starts the server, 33"}, []string{"DRIVER_USER=33"}, what, url(dir+"/web"), "")
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web")
	for _, what := range []string{"open", "check"} {
		bad(t, []string{"size 1024g", "disk", "allowed: up to"}, nil, what, "shm:"+path+"?size=1024g", "")
		// SIGXFSZ would end the host.
		bad(t, []string{"size 1m", "ulimit -f", "the smallest store has 1m"}, []string{"DRIVER_FSIZE=65536"}, what, url(path), "")
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("it left %q", got)
	}
	// The limit is only met by what is written first.
	good(t, "open", url(path), "")
	if a := drive(t, []string{"DRIVER_FSIZE=4"}, "open", url(path), ""); !a.ok {
		t.Errorf("an existing store: %s", a.text)
	}
}

// On a disk that is really full, which only a mount of our own can be.
func TestFullMount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a tmpfs")
	}
	dir := t.TempDir()
	script := `mount -t tmpfs -o size=4m none "$1" || exit 3
"$0" open "shm:$1/a?size=3m" || exit 4
"$0" open "shm:$1/b?size=2m"
"$0" open "shm:$1/c?size=900k"
"$0" open "shm:$1/d?size=1m"
ls "$1"`
	cmd := exec.Command("sh", "-c", script, driver, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	output, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 3 {
		t.Skipf("no mount of our own here: %v", err)
	}
	got := string(output)
	if err != nil || !strings.HasSuffix(got, "\na\na.key\n") || !strings.Contains(got, "error size 2m is more than the disk of "+dir+" has room for; allowed: more room, as the smallest store has 1m") ||
		!strings.Contains(got, "error size 1m is more than the disk of "+dir) {
		t.Errorf("%v: %s", err, got)
	}
}
