package main

import (
	"fmt"
	"strings"
)

// The pauses before a call, in microseconds; those of the target are judged.
var (
	gaps       = []string{"0", "20", "80", "160", "300", "1000", "5000"}
	judgedGaps = map[string]bool{"300": true, "1000": true, "5000": true}
)

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
	b.progress("a call into Go after a pause: at most %.2f us spinning, %.2f us asleep", worstCall(b.gaps["spin"])/1000, worstCall(b.gaps["sleep"])/1000)
	for range 15 {
		said, err := output(nil, program, "start")
		if err != nil {
			return err
		}
		var us float64
		if _, err := fmt.Sscan(said, &us); err != nil {
			return err
		}
		b.footprint.load = append(b.footprint.load, us/1000)
	}
	b.progress("the Go half loads in %.1f ms", median(b.footprint.load))
	return nil
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

// worstCall is the largest median of the judged pauses.
func worstCall(points []gapPoint) float64 {
	worst := 0.0
	for _, p := range points {
		if judgedGaps[p.Gap] {
			worst = max(worst, p.Call)
		}
	}
	return worst
}
