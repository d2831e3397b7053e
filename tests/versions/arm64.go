package versions

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gosess/tests/harness"
)

// ARM64 is a machine of that architecture with gosess, cross-built, and with this release's nginx. Without a network and
// nothing from an earlier run it skips the test.
func ARM64(t testing.TB) harness.Machine {
	t.Helper()
	top, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	script := filepath.Join(top, "tests", "versions", "cross.sh")
	cmd := exec.CommandContext(ctx, "sh", script, "build/libgosess.so", "build/libgosess-core.so", "build/gosess")
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 75 {
		t.Skipf("%s", output)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return harness.Machine(filepath.Join(top, "build", "versions", "arm64"))
}
