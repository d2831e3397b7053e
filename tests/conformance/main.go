// Conformance runs other people's tests of TLS sessions with gosess preloaded, and compares every
// test case with the same run without gosess: OpenSSL's own, Python's, Ruby's, and those of Perl's
// Net::SSLeay and IO::Socket::SSL, all from Debian's packages, unmodified. What differs is an error,
// unless meant.txt says why it is meant to; so is a line there that nothing differs in any more.
//
// The arguments are the names of suites; without any, all of them are run. The quick ones are run by
// go test too.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"gosess/tests/harness"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	good, err := conform(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
	if err != nil || !good {
		os.Exit(1)
	}
}

// conform runs the suites of these names, or all, prints a table and a count, and says whether all is as
// it should be.
func conform(ctx context.Context, names []string) (good bool, err error) {
	chosen := suites
	if len(names) > 0 {
		chosen = slices.DeleteFunc(slices.Clone(suites), func(s suite) bool { return !slices.Contains(names, s.name) })
		if len(chosen) < len(names) {
			return false, fmt.Errorf("not all of %q are suites", names)
		}
	}
	root, err := harness.Root()
	if err != nil {
		return false, err
	}
	meant, err := readMeant(root + "/tests/conformance/meant.txt")
	if err != nil {
		return false, err
	}
	passed, failed := 0, 0
	fmt.Printf("%-15s  %-8s  %5s  %5s  %5s  %7s\n", "suite", "way", "cases", "same", "meant", "differs")
	for _, s := range chosen {
		runs, err := s.run(ctx, root, ways, meant)
		if err != nil {
			return false, fmt.Errorf("%s: %w", s.name, err)
		}
		for _, w := range ways {
			v := compare(runs[baseline.name], runs[w.name], s.name, w.name, meant)
			fmt.Printf("%-15s  %-8s  %5d  %5d  %5d  %7d\n", s.name, w.name, v.cases, v.same, v.meant, len(v.wrong))
			for _, line := range v.wrong {
				fmt.Println("FAIL   ", line)
			}
			passed += v.same + v.meant
			failed += len(v.wrong)
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if passed == 0 {
		return false, errors.New("no test was run")
	}
	return failed == 0, nil
}
