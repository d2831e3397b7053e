//go:build !race

package storetest

const (
	// RaceEnabled says that the race detector watches.
	RaceEnabled = false
	// Thorough is how many times more is done without the race detector, which is that much slower.
	Thorough = 8
)
