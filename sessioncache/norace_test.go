//go:build !race

package sessioncache

const (
	raceEnabled = false
	thorough    = 8 // times what is done under the race detector, which is that much slower
)
