package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
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
	// Managed services do not let everybody look.
	folder := t.TempDir()
	for rights, want := range map[string]struct {
		code int
		text []string
	}{
		"+info": {3, []string{"maxmemory-policy noeviction: when it is full", "appendonly yes: sessions", "not seen: whether it saves snapshots (CONFIG: NOPERM", "2 things"}},
		"-info": {3, []string{"CONFIG: NOPERM", "look yourself that maxmemory-policy", "not seen: its version", "one thing"}},
	} {
		redis.CLI("CONFIG", "SET", "maxmemory-policy", "noeviction")
		redis.CLI("CONFIG", "SET", "appendonly", "yes")
		redis.CLI("ACL", "SETUSER", "guest", "reset", "on", ">geheim", "~*", "+@all", "-config", rights)
		password := filepath.Join(folder, "password")
		if err := os.WriteFile(password, []byte("geheim"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, code := run(t, "check --far "+redis.URL()+"?user=guest&password="+password)
		for _, text := range want.text {
			if code != want.code || !strings.Contains(out, text) {
				t.Errorf("%s: %d, %s; wanted %s", rights, code, out, text)
			}
		}
		redis.CLI("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
		redis.CLI("CONFIG", "SET", "appendonly", "no")
		out, code = run(t, "check --far "+redis.URL()+"?user=guest&password="+password)
		if well := code == 0 && strings.Contains(out, "nothing to complain of"); well != (rights == "+info") {
			t.Errorf("%s: %d, %s", rights, code, out)
		}
	}
	redis.Kill()
	if out, code := run(t, "check --far "+redis.URL()); code != 1 || !strings.Contains(out, "connection refused") {
		t.Errorf("nobody there: %d, %s", code, out)
	}
}

// TestManual: gosess-agent(8) has each word of the command line and of a far URL, and no other one.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../man/gosess-agent.8")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if items, ok := strings.CutPrefix(line, ".It "); ok {
			for item := range strings.SplitSeq(items, ",") {
				if fields := strings.Fields(item); len(fields) > 1 && (fields[0] == "Fl" || fields[0] == "Cm") {
					described[strings.TrimPrefix(fields[1], "-")] = true
				}
			}
		}
	}
	there := map[string]bool{}
	for _, line := range []string{"--bogus x", "check --far redis://h?bogus"} {
		said, _ := run(t, line)
		_, words, _ := strings.Cut(strings.TrimSpace(said), "allowed: ")
		for word := range strings.SplitSeq(words, ", ") {
			there[strings.TrimPrefix(word, "--")] = true
		}
	}
	for name := range there {
		if !described[name] || !strings.Contains(usage, name) {
			t.Errorf("%s is not in the manual, or not in what help says", name)
		}
	}
	for name := range described {
		if !there[name] {
			t.Errorf("the manual describes %s, which there is not", name)
		}
	}
	if len(there) < 10 {
		t.Errorf("words: %v", there)
	}
}
