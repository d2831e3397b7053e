package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"gosess/tests/harness"
)

// fact is one line about the machine or a program on it.
type fact struct{ Name, Value string }

// machine is what the figures depend on.
func (b *bench) machine() []fact {
	cpu := field("/proc/cpuinfo", `(?m)^model name\s*: (.*)$`)
	system := strings.Trim(field("/etc/os-release", `(?m)^PRETTY_NAME=(.*)$`), `"`)
	facts := []fact{
		{"date", b.started.UTC().Format("2006-01-02 15:04 MST")},
		{"processor", fmt.Sprintf("%s, %d visible", cpu, runtime.NumCPU())},
		{"virtual", firstLine("systemd-detect-virt")},
		{"system", fmt.Sprintf("%s, Linux %s", system, kernel())},
		{"load average before", b.loadBefore},
		{"OpenSSL", firstLine("openssl", "version")},
		{"Go", runtime.Version()},
		{"compiler", firstLine("cc", "--version")},
	}
	versions := []struct {
		name string
		of   func(dir string) (interface{ Version() (string, error) }, error)
	}{
		{"nginx", func(dir string) (interface{ Version() (string, error) }, error) { return harness.NewNginx(dir) }},
		{"httpd", func(dir string) (interface{ Version() (string, error) }, error) { return harness.NewHTTPD(dir) }},
		{"HAProxy", func(dir string) (interface{ Version() (string, error) }, error) { return harness.NewHAProxy(dir) }},
	}
	for _, v := range versions {
		version := "unknown"
		if dir, err := os.MkdirTemp(b.scratch, "version-"); err == nil {
			if server, err := v.of(dir); err == nil {
				version, _ = server.Version()
			}
		}
		facts = append(facts, fact{v.name, version})
	}
	return append(facts,
		fact{"rounds", fmt.Sprintf("at most %d pairs of %v each", b.rounds, b.roundTime)},
		fact{"took", time.Since(b.started).Round(time.Second).String()})
}

// loadAverage is of the last 1, 5 and 15 minutes.
func loadAverage() string { return field("/proc/loadavg", `^(\S+ \S+ \S+)`) }

// field is what the first group of a pattern finds in a file.
func field(path, pattern string) string {
	data, _ := os.ReadFile(path)
	found := regexp.MustCompile(pattern).FindSubmatch(data)
	if found == nil {
		return "unknown"
	}
	return string(found[1])
}

func firstLine(name string, arguments ...string) string {
	said, _ := exec.Command(name, arguments...).Output()
	line, _, _ := strings.Cut(string(said), "\n")
	if line == "" {
		return "unknown"
	}
	return line
}

func kernel() string {
	var name syscall.Utsname
	if syscall.Uname(&name) != nil {
		return "unknown"
	}
	var text strings.Builder
	for _, c := range name.Release {
		if c == 0 {
			break
		}
		text.WriteByte(byte(c))
	}
	return text.String()
}
