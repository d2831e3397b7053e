package harness

import (
	"bytes"
	"context"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// programPatience is how long a program of the tests may take: far more than any does.
const programPatience = 5 * time.Minute

// Execute runs a program to its end, in the environment of this process without anything of gosess, and with what is
// added. Where the program hangs it is killed, and its children with it.
func Execute(added []string, path string, arguments ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), programPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, arguments...)
	cmd.Env = environment(added)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	err = cmd.Run()
	return out.String(), errors.String(), err
}

var gosessLine = regexp.MustCompile(`(?m)^gosess: \[[0-9]+\] (.*)$`)

// Logged are the lines that gosess has written to a program's stderr, each without the id of its process.
func Logged(stderr string) (lines []string) {
	for _, match := range gosessLine.FindAllStringSubmatch(stderr, -1) {
		lines = append(lines, match[1])
	}
	return lines
}
