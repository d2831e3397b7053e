package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"gosess/tests/harness"
)

// compile makes a program of the tests, with libgosess where it is to be linked.
func (b *bench) compile(source string, linked bool) (string, error) {
	path := filepath.Join(b.scratch, strings.TrimSuffix(filepath.Base(source), ".c"))
	library, err := harness.Library()
	if err != nil {
		return "", err
	}
	arguments := append([]string{"-O2", source}, library...)
	if linked {
		build := filepath.Join(b.root, "build")
		arguments = append(arguments, "-L"+build, "-lgosess", "-Wl,-rpath,"+build)
	}
	return path, harness.Compile(path, "cc", append(arguments, "-lssl", "-lcrypto", "-lpthread")...)
}

// output runs a program with an environment without gosess, but for what is added.
func output(env []string, program string, arguments ...string) (string, error) {
	cmd := exec.Command(program, arguments...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "LD_PRELOAD=") && !strings.HasPrefix(entry, "GOSESS_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	said, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			said = append(said, exit.Stderr...)
		}
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(arguments, " "), err, said)
	}
	return string(said), nil
}

// processSample is one round of handshakes of a process with itself.
type processSample struct {
	Server float64 // us that libssl took for the server, per handshake
	Both   float64 // us, client and server, per handshake and thread
}

func serverOf(s processSample) float64 { return s.Server }
func bothOf(s processSample) float64   { return s.Both }

// processRow compares libssl's internal cache with the memory store.
type processRow struct {
	Threads int
	Limit   float64
	Pairs   []pair[processSample]
}

// measureOneProcess compares them on TLS 1.2 over memory, where a cache weighs most.
func (b *bench) measureOneProcess() error {
	program, err := b.compile("tests/differential/programs/load.c", false)
	if err != nil {
		return err
	}
	preload, err := harness.Preload("memory:?size=64m")
	if err != nil {
		return err
	}
	for threads := range 2 {
		r := &processRow{Threads: threads + 1, Limit: 1.03}
		round := func(env []string) func() (processSample, error) {
			return func() (processSample, error) { return b.processRound(program, env, r.Threads) }
		}
		if r.Pairs, err = alternate(b.ctx, b.rounds, b.rowTime, round(nil), round(preload)); err != nil {
			return err
		}
		b.onePlace = append(b.onePlace, r)
		b.progress("%-44s %d pairs, ratio %.3f (target %.2f)", fmt.Sprintf("one process, %d threads", r.Threads),
			len(r.Pairs), ratio(r.Pairs, serverOf), r.Limit)
	}
	return nil
}

func (b *bench) processRound(program string, env []string, threads int) (processSample, error) {
	ms := b.roundTime.Milliseconds()
	said, err := output(env, program, "bench", fmt.Sprint(ms), fmt.Sprint(threads))
	if err != nil {
		return processSample{}, err
	}
	var done, others, ns int64
	if _, err := fmt.Sscan(said, &done, &others, &ns); err != nil || done == 0 || others != 0 {
		return processSample{}, fmt.Errorf("not every handshake was resumed: %s", said)
	}
	return processSample{
		Server: float64(ns) / 1000 / float64(done),
		Both:   float64(ms) * 1000 * float64(threads) / float64(done),
	}, nil
}
