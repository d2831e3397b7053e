package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"gosess/tests/harness"
)

// terminal is a new one, pty(7): our end, and that of a program.
func terminal(t *testing.T) (ours, its *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	var number, unlock uint32
	for _, request := range []struct {
		code  uintptr
		value *uint32
	}{{syscall.TIOCSPTLCK, &unlock}, {syscall.TIOCGPTN, &number}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), request.code, uintptr(unsafe.Pointer(request.value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	its, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ours, its
}

// onTerminal is what a command writes to a terminal.
func onTerminal(t *testing.T, variables []string, words ...string) string {
	t.Helper()
	ours, its := terminal(t)
	cmd := invocation(home, append([]string{"TERM=xterm", "NO_COLOR="}, variables...), words...)
	cmd.Stdout = its
	err := cmd.Start()
	its.Close()
	if err != nil {
		t.Fatal(err)
	}
	said := readAll(t, cmd, ours)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%q on a terminal: %v", words, err)
	}
	return said
}

// readAll reads what a command says to its end: of a terminal, that is EIO. serve is asked to end when it has said where it serves.
func readAll(t *testing.T, cmd *exec.Cmd, from io.Reader) string {
	t.Helper()
	var said strings.Builder
	for bytes, told := make([]byte, 4096), false; ; {
		n, err := from.Read(bytes)
		said.Write(bytes[:n])
		if !told && strings.Contains(said.String(), "/metrics") && cmd.Args[1] == "serve" {
			told = true
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
		if err != nil {
			return said.String()
		}
	}
}

// A typist sits at a terminal with a shell that completes the command lines of gosess, where ^X says what stands in the line.
type typist struct {
	keys *os.File
	line string // the file that ^X writes
	said chan string
}

const zshKeys = `say() { print -r -- "$BUFFER" > "$LINE" }; zle -N say; bindkey '^X' say; bindkey '^U' kill-whole-line`

// shells are how each of them is started, without anybody's configuration, and what it is told first.
var shells = map[string]struct{ line, before []string }{
	"bash": {[]string{"bash", "--norc", "--noprofile", "-i"},
		[]string{`source <(gosess completion bash)`, `bind -x '"\C-x": printf "%s\n" "$READLINE_LINE" > "$LINE"'`}},
	"zsh": {[]string{"zsh", "-f", "-i"},
		[]string{`autoload -U compinit; compinit -D -u`, `source <(gosess completion zsh)`, zshKeys}},
	"zsh with a file": {[]string{"zsh", "-f", "-i"},
		[]string{`gosess completion zsh > ~/_gosess; fpath=(~ $fpath)`, `autoload -U compinit; compinit -D -u`, zshKeys}},
	"fish": {[]string{"fish", "--no-config", "--private", "-i"},
		[]string{`gosess completion fish | source`, `bind \cx 'commandline > $LINE'; bind \cu 'commandline ""'`}},
}

// sitDown starts a shell and waits until it takes keys.
func sitDown(t *testing.T, shell string) *typist {
	t.Helper()
	ours, its := terminal(t)
	dir := t.TempDir()
	typist := &typist{keys: ours, line: dir + "/line", said: make(chan string, 1)}
	line := shells[shell].line
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = surroundings([]string{"TERM=xterm", "PS1=$ ", "HOME=" + dir, "LINE=" + typist.line,
		fmt.Sprintf("PATH=%s/bin:%s", home, os.Getenv("PATH"))})
	cmd.Stdin, cmd.Stdout, cmd.Stderr = its, its, its
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err := cmd.Start()
	its.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		text, _ := io.ReadAll(ours)
		typist.said <- string(text)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it ends where its terminal does too
		_ = cmd.Wait()
		if said := <-typist.said; t.Failed() {
			t.Logf("%q", said)
		}
	})
	typist.press(t, strings.Join(shells[shell].before, "\n")+"\n")
	typist.press(t, ": ready; : > \"$LINE\"\n")
	if err := harness.WaitFor(shell+" to be ready", func() bool { _, err := os.Stat(typist.line); return err == nil }); err != nil {
		t.Fatal(err)
	}
	return typist
}

func (y *typist) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(y.keys, keys); err != nil {
		t.Fatal(err)
	}
}

// complete types the beginning of a line and a tab, and returns what the shell makes of it.
func (y *typist) complete(t *testing.T, line string) (completed string) {
	t.Helper()
	if err := os.Remove(y.line); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	y.press(t, line+"\t")
	y.press(t, "\x18")
	err := harness.WaitFor("the line that "+line+" becomes", func() bool {
		text, _ := os.ReadFile(y.line)
		completed = strings.TrimSuffix(string(text), "\n")
		return strings.HasSuffix(string(text), "\n")
	})
	if err != nil {
		t.Fatal(err)
	}
	y.press(t, "\x15")
	return completed
}
