package harness

import (
	"os"
	"path/filepath"
	"strings"
)

// machineVariable names a directory to the tests of a package that RunAll runs: see Machine.
const machineVariable = "GOSESS_TESTS_MACHINE"

// Machine is another processor than this one: a directory with the files of its system and, below gosess/build, what make has
// built for it. What the tests compile is for it too, and runs by qemu-user(1). "" is this processor.
type Machine string

// TestedMachine is the processor that the tests of a package are for: this one, but where RunAll says otherwise.
func TestedMachine() Machine { return Machine(os.Getenv(machineVariable)) }

// Line is the command line that runs a program of the machine. What it opens lies below the machine's directory, where there is
// such a file, and else where it says: so it finds its own libraries, and the tests' files.
func (m Machine) Line(line ...string) []string {
	if m == "" {
		return line
	}
	return append([]string{"qemu-aarch64-static", "-L", string(m)}, line...)
}

// compiler is the machine's in the place of cc, and what it is told beside.
func (m Machine) compiler(name string) (string, []string) {
	if m == "" || name != "cc" {
		return name, nil
	}
	return "aarch64-linux-gnu-gcc", []string{"--sysroot=" + string(m)}
}

// built is where a library lies that make has built for the machine, and "" for what runs on this processor.
func (m Machine) built(name string) string {
	if m == "" || filepath.Ext(name) != ".so" {
		return ""
	}
	return filepath.Join(string(m), "gosess", "build", name)
}

// Environment is that of a server with gosess, with the machine's library in the place of this processor's.
func (m Machine) Environment(env []string) ([]string, error) {
	ours, err := Built("libgosess.so")
	if err != nil {
		return nil, err
	}
	var its []string
	for _, entry := range env {
		its = append(its, strings.ReplaceAll(entry, ours, m.built("libgosess.so")))
	}
	return its, nil
}
