//go:build race

package sessioncache

const (
	raceEnabled = true
	thorough    = 1
)

// Only without the race detector, which does not survive a fork: see kill_test.go.
const killEnv = ""

func forkWorkers(string) {}
