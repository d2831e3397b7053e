// Tally runs go test several times, prints what failed in full and the rest in a line a
// package, and ends with a count. Each argument is the arguments of one go test, after
// variables for its environment: 'CGO_ENABLED=0 ./sessioncache'.
//
// Its status is 1 where anything failed or nothing ran. With CI=true a skipped test counts
// as failed: there, everything that a test needs is installed.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`^[A-Z_0-9]+=`)

func main() {
	total := newTally(os.Stdout, os.Getenv("CI") == "true")
	for _, arguments := range os.Args[1:] {
		fmt.Printf("go test %s\n", arguments)
		if err := run(total, strings.Fields(arguments)); err != nil {
			fmt.Printf("FAIL    go test %s: %v\n", arguments, err)
			total.failed++
		}
	}
	fmt.Println(total)
	if !total.good() {
		os.Exit(1)
	}
}

// run feeds one go test to the tally. A bad exit status is an error only where no event
// accounts for it.
func run(total *tally, arguments []string) error {
	// A package may take longer than go test's ten minutes on a slow machine with CI=true.
	command := []string{"go", "test", "-json", "-count=1", "-timeout=30m"}
	environment := os.Environ()
	for len(arguments) > 0 && variable.MatchString(arguments[0]) {
		environment = append(environment, arguments[0])
		arguments = arguments[1:]
	}
	command = append(command, arguments...)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = environment
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	before := total.failed
	readErr := total.read(events)
	io.Copy(io.Discard, events)
	err = cmd.Wait()
	if readErr != nil {
		return readErr
	}
	if err != nil && total.failed == before {
		return fmt.Errorf("%w\n%s", err, stderr.String())
	}
	return nil
}
