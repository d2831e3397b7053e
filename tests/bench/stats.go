package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// median is the middle of the values, or the mean of the two in the middle; NaN of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// pair is two measurements that were made one after the other, of a peer and of gosess.
type pair[T any] struct {
	Theirs, Ours T
	OursFirst    bool
}

// ratio is the median of the ratios of the pairs: what drifts between two rounds of a
// machine (its clock, its neighbours) drifts less within a pair.
func ratio[T any](pairs []pair[T], of func(T) float64) float64 {
	return median(ratios(pairs, of))
}

func ratios[T any](pairs []pair[T], of func(T) float64) []float64 {
	var all []float64
	for _, p := range pairs {
		all = append(all, of(p.Ours)/of(p.Theirs))
	}
	return all
}

// quartiles are between which the middle half of the ratios lies: how sure the median is.
func quartiles[T any](pairs []pair[T], of func(T) float64) string {
	sorted := slices.Sorted(slices.Values(ratios(pairs, of)))
	if len(sorted) == 0 {
		return "none"
	}
	last := float64(len(sorted) - 1)
	return fmt.Sprintf("%.3f to %.3f", sorted[int(math.Round(last/4))], sorted[int(math.Round(last*3/4))])
}

// medians are the medians of each side.
func medians[T any](pairs []pair[T], of func(T) float64) (theirs, ours float64) {
	var left, right []float64
	for _, p := range pairs {
		left, right = append(left, of(p.Theirs)), append(right, of(p.Ours))
	}
	return median(left), median(right)
}

// fewestPairs are made, however long they take.
const fewestPairs = 3

// alternate makes pairs of measurements, each in the other order than the one before (ABBA), unless
// it is interrupted. On a busy machine there are fewer of them, so that a run still ends in time.
func alternate[T any](ctx context.Context, count int, within time.Duration, theirs, ours func() (T, error)) ([]pair[T], error) {
	var pairs []pair[T]
	start := time.Now()
	for i := range count {
		if i >= fewestPairs && time.Since(start) > within {
			break
		}
		p := pair[T]{OursFirst: i%2 == 1}
		steps := []func() error{
			func() (err error) { p.Theirs, err = theirs(); return err },
			func() (err error) { p.Ours, err = ours(); return err },
		}
		if p.OursFirst {
			slices.Reverse(steps)
		}
		for _, step := range steps {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err := step(); err != nil {
				return nil, err
			}
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}
