// Tally runs go test several times, prints what failed in full and the rest in a line a
// package, and ends with a count. Each argument is the arguments of one go test, after
// variables for its environment: 'CGO_ENABLED=0 ./sessioncache'. Two of them run at once, in
// the order of the arguments: the first is the long one.
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
	"runtime"
	"strings"
	"sync"
)

// atOnce is how many of them run at a time: what the long one leaves of the machine, which waits more than it
// computes, is enough for the others.
const atOnce = 2

var variable = regexp.MustCompile(`^[A-Z_0-9]+=`)

func main() {
	total := newTally(os.Stdout, os.Getenv("CI") == "true")
	var all sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for _, arguments := range os.Args[1:] {
		turns <- struct{}{}
		all.Go(func() {
			total.print("go test " + arguments + "\n")
			if err := run(total, arguments); err != nil {
				total.add(fmt.Sprintf("FAIL    go test %s: %v\n", arguments, err), 0, 1, 0)
			}
			<-turns
		})
	}
	all.Wait()
	fmt.Println(total)
	if !total.good() {
		os.Exit(1)
	}
}

// run feeds one go test to the tally. A bad exit status is an error only where no event
// accounts for it.
func run(total *tally, arguments string) error {
	// A package may take longer than go test's ten minutes on a slow machine with CI=true. Packages wait for servers and programs
	// more than they compute. The lint runs all of go vet.
	options := []string{"-json", "-count=1", "-timeout=60m", "-vet=off", fmt.Sprint("-p=", 2*runtime.NumCPU())}
	command := []string{"go", "test"}
	// -C has to be the first of all.
	if folder, ok := strings.CutPrefix(arguments, "-C "); ok {
		folder, arguments, _ = strings.Cut(folder, " ")
		command = append(command, "-C", folder)
	}
	command = append(command, options...)
	environment := os.Environ()
	var name strings.Builder
	for _, word := range strings.Fields(arguments) {
		if variable.MatchString(word) {
			environment = append(environment, word)
		} else {
			command = append(command, word)
		}
		if !strings.HasPrefix(word, "./") { // a package, which its own lines name
			name.WriteString(" " + word)
		}
	}
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
	reader := total.reader(name.String())
	readErr := reader.read(events)
	_, _ = io.Copy(io.Discard, events)
	err = cmd.Wait()
	if readErr != nil {
		return readErr
	}
	if err != nil && reader.failures == 0 {
		return fmt.Errorf("%w\n%s", err, stderr.String())
	}
	return nil
}
