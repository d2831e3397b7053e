package main

import (
	"fmt"
	"math"
	"strings"
)

// The pauses before a call, in microseconds.
var gaps = []string{"0", "20", "80", "160", "300", "1000", "5000"}

// gapPoint is the medians of what is done after a pause, in nanoseconds: see programs/gap.c.
type gapPoint struct {
	Gap                     string // us
	Call, Miss, Hit, Decode float64
}

// measureGaps asks what a call into Go costs after a pause: spinning, so that the processor stays with
// the program, and asleep, as an event loop is. And how long the Go half takes to load.
func (b *bench) measureGaps() error {
	program, err := b.compile("tests/bench/programs/gap.c", true)
	if err != nil {
		return err
	}
	ms := "2000"
	if b.quick {
		ms = "600"
	}
	b.gaps = map[string][]gapPoint{}
	for _, how := range []string{"spin", "sleep"} {
		said, err := output(nil, program, append([]string{how, ms}, gaps...)...)
		if err != nil {
			return err
		}
		if b.gaps[how], err = parseGaps(said); err != nil {
			return err
		}
	}
	b.progress("a call into Go after 0.3 ms: %.2f us spinning, %.2f us asleep", after(b.gaps["spin"], "300").Call/1000, after(b.gaps["sleep"], "300").Call/1000)
	for range 5 {
		ns, err := number(output(nil, program, "miss"))
		if err != nil {
			return err
		}
		b.missInLoop = append(b.missInLoop, ns)
	}
	b.progress("a miss in a loop: %.2f us", median(b.missInLoop)/1000)
	for range 15 {
		us, err := number(output(nil, program, "start"))
		if err != nil {
			return err
		}
		b.footprint.load = append(b.footprint.load, us/1000)
	}
	b.progress("the Go half loads in %.1f ms", median(b.footprint.load))
	return nil
}

// number is the one that a program says.
func number(said string, err error) (n float64, _ error) {
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(said, &n)
	return n, err
}

func parseGaps(said string) ([]gapPoint, error) {
	var points []gapPoint
	for line := range strings.Lines(said) {
		var p gapPoint
		if _, err := fmt.Sscan(line, &p.Gap, &p.Call, &p.Miss, &p.Hit, &p.Decode); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		points = append(points, p)
	}
	return points, nil
}

// after is what was measured after a pause.
func after(points []gapPoint, gap string) gapPoint {
	for _, p := range points {
		if p.Gap == gap {
			return p
		}
	}
	return gapPoint{Call: math.NaN()}
}
