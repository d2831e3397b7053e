//go:build !race

package sessioncache

const raceEnabled = false
