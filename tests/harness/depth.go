package harness

import (
	"os"
	"strconv"
	"testing"
)

// All says whether each question is asked of all combinations that it is about, as in CI, or of a few of them, as by make test:
// then a suite asks by Few and OnlyWhereAll, and by nothing else, what it asks. tests/README.md says what is left out.
func All() bool {
	return os.Getenv("CI") == "true" || os.Getenv("GOSESS_TESTS") == "all"
}

// OnlyWhereAll skips a test that asks what the others ask at other places.
func OnlyWhereAll(t testing.TB) {
	t.Helper()
	if !All() {
		t.Skip("CI=true or GOSESS_TESTS=all runs it")
	}
}

// Few is all of a list, or the first n where not all are asked for.
func Few[T any](n int, all []T) []T {
	if All() {
		return all
	}
	return all[:n]
}

// Times is how many of something are made that all ask the same, such as handshakes, or a fifth of them where not all are asked
// for: as an argument of the load client.
func Times(all int) string {
	if !All() {
		all = max(1, all/5)
	}
	return strconv.Itoa(all)
}
