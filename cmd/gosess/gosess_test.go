package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// home is a folder with this test program as gosess, and both halves of an empty library beside it.
var home string

func TestMain(m *testing.M) {
	if os.Getenv("GOSESS_TEST_MAIN") != "" {
		os.Unsetenv("GOSESS_TEST_MAIN")
		main()
		os.Exit(0)
	}
	table = commands()
	var err error
	if home, err = os.MkdirTemp("", "gosess-cmd-"); err != nil {
		panic(err)
	}
	status := 1
	if err = install(home, "bin", "bin"); err == nil {
		status = m.Run()
	} else {
		fmt.Println(err)
	}
	os.RemoveAll(home)
	os.Exit(status)
}

// install puts the program and an empty library, of two halves, into folders below dir.
func install(dir, bin, lib string) error {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	for _, d := range []string{bin, lib} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, bin, "gosess"), self, 0o755); err != nil {
		return err
	}
	if err := marked(filepath.Join(dir, lib, library), "1.2.3 77"); err != nil {
		return err
	}
	return marked(filepath.Join(dir, lib, core), "1.2.3 77")
}

// marked makes a half of the library that holds nothing but its mark.
func marked(path, mark string) error {
	cc := exec.Command("cc", "-shared", "-o", path, "-x", "c", "-")
	cc.Stdin = strings.NewReader(fmt.Sprintf(`__attribute__((section(".gosess"), used)) static const char mark[] = "%s";`, mark))
	if output, err := cc.CombinedOutput(); err != nil {
		return fmt.Errorf("cc: %w: %s", err, output)
	}
	return nil
}

type result struct {
	status         int
	stdout, stderr string
}

// gosess runs the command below dir with variables set, and no other GOSESS ones.
func gosess(t *testing.T, dir string, variables []string, args ...string) result {
	t.Helper()
	cmd := invocation(dir, variables, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// invocation is a run of gosess below dir.
func invocation(dir string, variables []string, words ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(dir, "bin", "gosess"), words...)
	cmd.Env = surroundings(variables)
	return cmd
}

// surroundings are the environment of this process with variables set, and no other GOSESS ones, where gosess is this program.
func surroundings(variables []string) (all []string) {
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GOSESS_") && !strings.HasPrefix(variable, "LD_PRELOAD=") {
			all = append(all, variable)
		}
	}
	return append(append(all, "GOSESS_TEST_MAIN=1"), variables...)
}
