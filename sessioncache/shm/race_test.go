//go:build race

package sessioncache

const (
	raceEnabled = true
	thorough    = 1
)
