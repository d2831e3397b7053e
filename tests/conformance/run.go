package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"gosess/tests/harness"
)

// A way is what the programs of a suite are run with.
type way struct {
	name      string
	preloaded bool
	cache     string // GOSESS_CACHE; "" is unset
	tickets   string // GOSESS_TICKETS
}

var (
	baseline = way{name: "without"}
	ways     = []way{
		{"shm", true, "shm:?size=4m", ""},
		{"memory", true, "memory:", ""},
		{"unset", true, "", ""},
		{"stateful", true, "shm:?size=4m", "stateful"},
		{"shared", true, "shm:?size=4m", "shared"},
	}
)

// A program is run once in each way. Its cases are compared one by one.
type program struct {
	name      string
	dir       string // where it runs
	env       []string
	arguments []string
	read      func(output string) results
}

// patience is how long a program may take: several times what the longest takes on a busy machine.
const patience = 10 * time.Minute

// together is how many programs run at once. They wait more than they work.
const together = 6

// A round is what a program did in each way, by the way's name.
type round map[string]results

// run runs all programs of a suite in these ways and without gosess, and returns the cases of each way by
// its name.
func (s suite) run(ctx context.Context, root string, ways []way, meant map[difference]bool) (map[string]results, error) {
	programs, err := s.prepare(ctx, root)
	if err != nil {
		return nil, err
	}
	if len(programs) == 0 {
		return nil, errors.New("it has no programs")
	}
	rounds, err := runTogether(ctx, programs, ways)
	if err != nil {
		return nil, err
	}
	all := map[string]results{}
	for i, p := range programs {
		if err := s.repeat(ctx, p, rounds[i], ways, meant); err != nil {
			return nil, err
		}
		for way, cases := range rounds[i] {
			if all[way] == nil {
				all[way] = results{}
			}
			for name, outcome := range cases {
				all[way][p.name+"/"+name] = outcome
			}
		}
	}
	return all, nil
}

// runTogether runs programs in these ways, several at once.
func runTogether(ctx context.Context, programs []program, ways []way) ([]round, error) {
	var (
		mutex  sync.Mutex
		wait   sync.WaitGroup
		failed error
		places = make(chan struct{}, together)
		rounds = make([]round, len(programs))
	)
	for i, p := range programs {
		rounds[i] = round{}
		for _, w := range append([]way{baseline}, ways...) {
			places <- struct{}{}
			wait.Go(func() {
				defer func() { <-places }()
				cases, err := p.run(ctx, w)
				mutex.Lock()
				defer mutex.Unlock()
				failed = errors.Join(failed, err)
				rounds[i][w.name] = cases
			})
		}
	}
	wait.Wait()
	return rounds, failed
}

// repeat runs a program again, alone, where something differs that is not meant to: other people's tests
// have limits of time, which they exceed on a busy machine, with and without gosess.
func (s suite) repeat(ctx context.Context, p program, r round, ways []way, meant map[difference]bool) (err error) {
	for _, w := range ways {
		for try := 0; try < 2 && differs(r, difference{s.name, w.name, p.name}, meant); try++ {
			if r[baseline.name], err = p.run(ctx, baseline); err != nil {
				return err
			}
			if r[w.name], err = p.run(ctx, w); err != nil {
				return err
			}
		}
	}
	if r[baseline.name].empty() {
		return fmt.Errorf("%s has no test cases: it ended with %s", p.name, r[baseline.name]["end"])
	}
	return nil
}

// run runs a program in one way. What it does is no error, whatever it is.
func (p program) run(ctx context.Context, w way) (results, error) {
	scratch, err := os.MkdirTemp("", "gosess-conformance-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	log := filepath.Join(scratch, "log")
	cmd := exec.CommandContext(ctx, p.arguments[0], p.arguments[1:]...)
	cmd.Dir = p.dir
	if cmd.Env, err = p.environment(w, scratch, log); err != nil {
		return nil, err
	}
	var output bytes.Buffer
	cmd.Stdout = &output
	// What it leaves running ends with it, and nothing waits for that.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // an error where nothing is left
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		ended = fmt.Errorf("killed after %v", patience)
	} else if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	cases := p.read(output.String())
	cases["end"] = cases.end(ended)
	if said, _ := os.ReadFile(log); w.cache == "" && len(said) > 0 {
		cases["log"] = fmt.Sprintf("%q", said)
	}
	return cases, nil
}

// environment is that of this process, without anything of gosess but what the way says. The log is a
// file: a line to stderr would be one of the program's.
func (p program) environment(w way, scratch, log string) ([]string, error) {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "LD_PRELOAD=") && !strings.HasPrefix(entry, "GOSESS_") {
			env = append(env, entry)
		}
	}
	env = append(append(env, "LC_ALL=C.UTF-8", "TMPDIR="+scratch), p.env...)
	if !w.preloaded {
		return env, nil
	}
	preload, err := harness.Preload(w.cache)
	if err != nil {
		return nil, err
	}
	env = append(append(env, preload...), "GOSESS_LOG=info:"+log)
	if w.tickets != "" {
		env = append(env, "GOSESS_TICKETS="+w.tickets)
	}
	return env, nil
}
