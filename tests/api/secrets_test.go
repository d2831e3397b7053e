package api_test

import (
	"path/filepath"
	"testing"
)

// Have twenty processes that start at the same moment on an empty store one secret for each period, a hundred times?
func TestSecretsOfARace(t *testing.T) {
	t.Parallel()
	environment := []string{"CACHE=shm:" + filepath.Join(t.TempDir(), "store"), "GOSESS_TICKETS=shared"}
	printed, logged := run(t, linked(t, "secrets", "secrets", libraries...), environment, "--tls1.3", "race")
	if want := "one secret in 100 rounds, and in the next period in 100"; printed != want {
		t.Errorf("it printed %q, not %q", printed, want)
	}
	logs(t, logged, "")
}
