package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// System is where servers come from: this machine, or another release of Debian in a directory
// that is the root of all files for them. What they are given lies below the same paths in it.
type System struct {
	Root string // "" is this machine's own
}

// TempDir is a directory for a server, open to its workers, which are another user. It goes with the test.
func (s System) TempDir(t testing.TB) string {
	t.Helper()
	if s.Root == "" {
		return TempDir(t)
	}
	// Short, because the path of a socket may not be long. Outside it is a link into the root.
	dir, err := os.MkdirTemp("", "gosess")
	if err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(s.Root, dir)
	t.Cleanup(func() {
		os.RemoveAll(dir)
		os.RemoveAll(inside)
	})
	path := filepath.Join("link", "server")
	if err := os.MkdirAll(filepath.Join(inside, path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(inside, "link"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, path)
}

// Put copies a file to the same path below the root.
func (s System) Put(path string) error {
	if s.Root == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	target := filepath.Join(s.Root, path)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	// Another test may be running the one that is there.
	copied, err := os.CreateTemp(filepath.Dir(target), "new")
	if err != nil {
		return err
	}
	defer copied.Close()
	if _, err := copied.Write(data); err != nil {
		return err
	}
	if err := copied.Chmod(info.Mode()); err != nil {
		return err
	}
	return os.Rename(copied.Name(), target)
}

// program is the path of a server's program.
func (s System) program(name string) string {
	if s.Root == "" {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return "/usr/sbin/" + name // not in an ordinary user's PATH
}

// command is an exec.Command that runs in the system.
func (s System) command(line []string) *exec.Cmd {
	cmd := exec.Command(line[0], line[1:]...)
	if s.Root != "" {
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: s.Root}
		cmd.Dir = "/"
	}
	return cmd
}
