package api_test

import (
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// Do programs for arm64 see what programs here see? They run under qemu-user.
func TestARM64(t *testing.T) {
	harness.OnlyWhereAll(t)
	versions.ARM64(t).RunAll(t, map[string]string{
		"TestSecretsOfARace": "twenty Go halves that start at once need more than two seconds under qemu-user",
		"TestThreads":        "so do those of programs whose threads all come before it has started",
	})
}
