package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"gosess/agent/internal/testredis"
)

func run(t *testing.T, line string) (out string, code int) {
	t.Helper()
	var text bytes.Buffer
	err := command(strings.Fields(line), &text)
	if err != nil {
		fmt.Fprintln(&text, err)
	}
	return text.String(), status(err)
}

func TestCommandLine(t *testing.T) {
	for line, want := range map[string]struct {
		text string
		code int
	}{
		"":                       {"it is not said what to do; allowed: --store and --far, check", 2},
		"bogus":                  {`unknown word "bogus"; allowed: --store and --far`, 2},
		"help":                   {"exit status:", 0},
		"--help":                 {"valkey://10.0.0.7:6379/0", 0},
		"version":                {"valkey-go 1.0.79", 0},
		"--store shm:/a":         {"--far is missing", 2},
		"--store shm:/a --far x": {`--far: "x" is no URL`, 2},
		"--bogus":                {`unknown option "--bogus"`, 2},
		"--store shm:/a --far redis://h --user no-such-user": {`user "no-such-user"`, 1},
		"check":                    {"--far is missing", 2},
		"check --far http://h":     {`unknown scheme "http"`, 2},
		"check --far redis://h?ca": {`option "ca" has no value`, 2},
		"check --far redis://h?password=/nowhere/at/all": {"no such file", 1},
	} {
		if text, code := run(t, line); code != want.code || !strings.Contains(text, want.text) {
			t.Errorf("%s: %d, %s; wanted %d, %s", line, code, text, want.code, want.text)
		}
	}
}

func TestCheck(t *testing.T) {
	redis := testredis.Start(t, "--maxmemory", "64mb", "--maxmemory-policy", "volatile-ttl")
	if out, code := run(t, "check --far "+redis.URL()); code != 0 || !strings.Contains(out, "nothing to complain of") {
		t.Errorf("%d, %s", code, out)
	}
	for set, want := range map[string]string{
		"maxmemory-policy noeviction":  "takes no new session; recommended: volatile-ttl",
		"maxmemory-policy allkeys-lru": "it evicts what has no end too",
		"appendonly yes":               "appendonly yes: sessions are written to its disk",
		"save 60_1":                    `save "60 1": sessions are written to its disk`,
		"maxmemory 0":                  "it takes all memory of its machine",
		"maxmemory 2mb":                "maxmemory 2097152 is room for 5242 sessions",
	} {
		name, value, _ := strings.Cut(set, " ")
		_, was, _ := strings.Cut(redis.CLI("CONFIG", "GET", name), "\r\n"+name+"\r\n")
		was = strings.TrimSpace(was[strings.IndexByte(was, '\n'):])
		redis.CLI("CONFIG", "SET", name, strings.ReplaceAll(value, "_", " "))
		if out, code := run(t, "check --far "+redis.URL()); code != 3 || strings.Count(out, "\n") != 3 || !strings.Contains(out, want) {
			t.Errorf("%s: %d, %s", set, code, out)
		}
		redis.CLI("CONFIG", "SET", name, was)
	}
	redis.Kill()
	if out, code := run(t, "check --far "+redis.URL()); code != 1 || !strings.Contains(out, "connection refused") {
		t.Errorf("nobody there: %d, %s", code, out)
	}
}
