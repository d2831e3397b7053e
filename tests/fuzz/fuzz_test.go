// Package fuzz_test feeds anything to what the C half parses, with
// libFuzzer and sanitizers. What Go itself parses has its fuzz targets beside it.
package fuzz_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"gosess/tests/harness"
)

// targets are the programs, each with the sources that it is about.
var targets = map[string][]string{
	"url":    {"shim/config/url.c"},
	"keys":   {"shim/config/keys.c", "shim/base/files.c", "shim/base/io.c"},
	"header": {"shim/config/header.c"},
	"der":    {"shim/serve/der.c", "shim/serve/molds.c"},
}

// duration is how long each target runs: GOSESS_FUZZ, as in 60s.
func duration(t *testing.T) time.Duration {
	if text := os.Getenv("GOSESS_FUZZ"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if harness.All() {
		return time.Minute
	}
	return 2 * time.Second
}

func compile(t *testing.T, name string, sources []string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	arguments := append([]string{"-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all",
		"tests/fuzz/targets/" + name + ".c", "shim/base/text.c"}, sources...)
	if err := harness.Compile(path, "clang", append(arguments, "-lssl", "-lcrypto")...); err != nil {
		t.Fatal(err)
	}
	return path
}

var runs = regexp.MustCompile(`Done (\d+) runs|INFO: Seed: (\d+)|cov: (\d+) ft`)

// TestFuzz starts from the seeds in corpus/, and keeps what it finds worth keeping only for this
// run. An input that ends the program is printed, in base64 too.
func TestFuzz(t *testing.T) {
	for name, sources := range targets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, found := compile(t, name, sources), t.TempDir()
			cmd := exec.Command(program, "-max_total_time="+fmt.Sprint(int(duration(t).Seconds())), "-max_len=8192", "-timeout=10",
				"-artifact_prefix="+found+"/", found, filepath.Join("corpus", name))
			output, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, output[max(0, len(output)-8000):])
			}
			all := runs.FindAll(output, -1)
			t.Logf("%s ... %s", all[0], all[len(all)-1])
		})
	}
}
