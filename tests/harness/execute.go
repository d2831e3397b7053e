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
// added. Where the program hangs it is killed, and its children with it. On another machine, where all takes ten times as long, it is
// run again if its Go half has not started in time.
func Execute(added []string, path string, arguments ...string) (stdout, stderr string, err error) {
	for began := time.Now(); ; {
		stdout, stderr, err = execute(added, path, arguments...)
		if TestedMachine() == "" || !SaysLate(stderr) || time.Since(began) > Patience {
			return stdout, stderr, err
		}
	}
}

func execute(added []string, path string, arguments ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), programPatience)
	defer cancel()
	line := TestedMachine().Line(append([]string{path}, arguments...)...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
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
