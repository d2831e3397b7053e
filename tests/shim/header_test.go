package shim_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Does the public header compile alone, in every language that may include it?
func TestHeader(t *testing.T) {
	source := filepath.Join(t.TempDir(), "header.c")
	if err := os.WriteFile(source, []byte("#include <gosess.h>\nint unused;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, compiler := range []string{"gcc", "clang", "g++", "clang++"} {
		if _, err := exec.LookPath(compiler); err != nil {
			t.Logf("no %s", compiler)
			continue
		}
		dialects := []string{"-xc -std=c99", "-xc -std=c11"}
		if strings.HasSuffix(compiler, "++") {
			dialects = []string{"-xc++ -std=c++17"}
		}
		for _, dialect := range dialects {
			arguments := append(strings.Fields(dialect), "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I../../include", source)
			if output, err := exec.Command(compiler, arguments...).CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v\n%s", compiler, dialect, err, output)
			}
		}
	}
}
