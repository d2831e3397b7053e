package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gosess/agent/internal/testredis"
	"gosess/agent/internal/teststore"
)

// TestDenied starts an agent as nobody, who may not open one of its files: it says whose that is, what closes it, and who it may be.
func TestDenied(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root makes files of others")
	}
	program := built(t)
	redis := testredis.Start(t)
	const nobody = 65534
	for _, c := range []struct {
		name  string
		close func(folder, file string) error
		want  []string
	}{
		{"a folder", func(folder, file string) error { return os.Chmod(folder, 0o700) },
			[]string{"the folder FOLDER, of user \"root\" and group \"root\" with mode 0700, is closed to user \"nobody\"", "allowed: to start the agent as root", "or as user \"root\""}},
		{"a file", func(folder, file string) error { return os.Chown(file, 1, 1) }, []string{"FILE, of user \"daemon\" and group \"daemon\" with mode 0600", "or as user \"daemon\""}},
		{"a file of a group", func(folder, file string) error {
			return os.Chmod(file, 0o660)
		}, []string{"FILE, of user \"root\" and group \"root\" with mode 0660", "or one whose group is \"root\""}},
	} {
		for _, which := range []string{"store", "password", "config"} {
			folder, err := os.MkdirTemp("", "denied") // not below what t.TempDir has closed
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(folder) })
			open := filepath.Join(folder, "open")
			closed := filepath.Join(folder, "closed")
			for _, folder := range []string{folder, open, closed} {
				_ = os.Mkdir(folder, 0o755)
				if err := os.Chmod(folder, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			place := func(file string) string {
				if file == which {
					return filepath.Join(closed, file)
				}
				return filepath.Join(open, file)
			}
			teststore.Make(t, place("store"))
			for file, text := range map[string]string{"password": "geheim", "config": "# nothing"} {
				if err := os.WriteFile(place(file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{"store", "password", "config"} {
				if file != which {
					if err := os.Chown(place(file), nobody, nobody); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := c.close(closed, place(which)); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, "--config", place("config"), "--store", "shm:"+place("store"), "--far", redis.URL()+"?password="+place("password"))
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Pdeathsig: syscall.SIGKILL}
			said, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("%s, %s: it is content", c.name, which)
			}
			for _, want := range append(c.want, "permission denied: ") {
				if want = strings.NewReplacer("FOLDER", closed, "FILE", place(which)).Replace(want); !strings.Contains(string(said), want) {
					t.Errorf("%s, %s: it said %swanted %s", c.name, which, said, want)
				}
			}
		}
	}
}

// TestDeniedSocket has the agent, which is nobody by then, want a socket that is root's.
func TestDeniedSocket(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("it becomes its user where root starts it")
	}
	redis := testredis.Start(t, "--unixsocketperm", "700")
	_, path := privateStore(t)
	teststore.Make(t, path)
	a := begin(t, "--store", "shm:"+path, "--far", "unix://"+redis.Socket())
	testredis.WaitFor(t, "what keeps it from the socket", a.said.Has(`is closed to user "nobody"; allowed: another mode of it`))
}
