package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gosess/capi/settings"
)

// keyFile is a file with some lines.
func keyFile(t *testing.T, lines ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o400); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// changed runs a command that changes keys, and returns what it says.
func changed(t *testing.T, want int, arguments ...string) string {
	t.Helper()
	r := gosess(t, home, nil, append([]string{"keys"}, arguments...)...)
	if r.status != want {
		t.Fatalf("keys %q: %+v", arguments, r)
	}
	return r.stdout + r.stderr
}

// A key file changes, and other files of keys for the same store do as that has: each command is run once for a machine.
func TestRotate(t *testing.T) {
	path := secretStore(t, 3600)
	url, first := "shm:"+path, read(t, path+".key")
	one, two := keyFile(t, "# of all machines\n", "\n", first), keyFile(t, strings.TrimSuffix(first, "\n"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(two, link); err != nil {
		t.Fatal(err)
	}
	if said := changed(t, 0, "rotate", one, url); said != one+" has a new key; the servers that use store "+url+" know\n" {
		t.Errorf("it said %q", said)
	}
	lines := strings.SplitAfter(read(t, one), "\n")
	if len(lines) != 5 || lines[0] != "# of all machines\n" || lines[3] != first || lines[2] == first {
		t.Fatalf("the file is %q", lines)
	}
	second := lines[2]
	changed(t, 1, "rotate", link, url) // it does not know of that
	if said := changed(t, 0, "update", link, url); !strings.Contains(said, "has changed") {
		t.Errorf("it said %q", said)
	}
	if text := read(t, two); text != second+strings.TrimSuffix(first, "\n") {
		t.Errorf("the file of another machine is %q", text)
	}
	if info, err := os.Stat(two); err != nil || info.Mode() != 0o400 {
		t.Errorf("it is %v, %v", info, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}

	changed(t, 0, "drop", one, url)
	if text := read(t, one); text != "# of all machines\n\n"+second {
		t.Errorf("the file is %q", text)
	}
	changed(t, 1, "drop", link, url)
	if changed(t, 0, "update", link, url); read(t, two) != second {
		t.Errorf("another machine has %q", read(t, two))
	}
	if said := changed(t, 0, "update", link, url); !strings.Contains(said, "is as it was") || read(t, two) != second {
		t.Errorf("it said %q, and another machine has %q", said, read(t, two))
	}
	changed(t, 1, "drop", one, url) // it is the only one
	late := keyFile(t, first)
	changed(t, 0, "update", late, url)
	if text := read(t, late); text != second {
		t.Errorf("who has slept has %q", text)
	}

	// What was taken out by hand, and what was added, others hear of.
	changed(t, 0, "rotate", one, url)
	third, fourth := strings.SplitAfter(read(t, one), "\n")[2], gosess(t, home, nil, "keygen").stdout
	changed(t, 0, "update", keyFile(t, fourth, third), url)
	changed(t, 0, "update", two, url)
	if text := read(t, two); text != fourth+third {
		t.Errorf("another machine has %q", text)
	}
}

// What cannot be done changes nothing.
func TestRotateRefused(t *testing.T) {
	path := secretStore(t, 3600)
	url, first := "shm:"+path, read(t, path+".key")
	key := func() string { return gosess(t, home, nil, "keygen").stdout }
	for said, c := range map[string]struct {
		lines     []string
		arguments []string
		status    int
	}{
		"takes a key file":        {nil, nil, 2},
		"is not a key":            {[]string{"nonsense\n"}, []string{"FILE"}, 1},
		"has 16 keys":             {[]string{strings.Repeat(key(), 16)}, []string{"FILE"}, 1},
		"more than 16384":         {[]string{strings.Repeat("#\n", 8000), strings.Repeat(key(), 8)}, []string{"FILE"}, 1},
		"not a gosess store":      {[]string{first}, []string{"FILE", "shm:FILE"}, 1},
		"no such file":            {[]string{first}, []string{"FILE", "shm:FILE.no"}, 1},
		"in memory has no path":   {[]string{first}, []string{"FILE", "shm:?size=1m"}, 1},
		"not the key file of all": {[]string{key(), first}, []string{"FILE", url}, 1},
		"there is no process":     {[]string{first}, []string{"--pid", "999999999", "FILE"}, 1},
	} {
		t.Run(said, func(t *testing.T) {
			if said == "not the key file of all" {
				changed(t, 0, "rotate", keyFile(t, first), url)
			}
			file := keyFile(t, c.lines...)
			before := read(t, file)
			arguments := []string{"rotate"}
			for _, a := range c.arguments {
				arguments = append(arguments, strings.ReplaceAll(a, "FILE", file))
			}
			if text := changed(t, c.status, arguments...); !strings.Contains(text, said) {
				t.Errorf("it said %q", text)
			}
			if read(t, file) != before {
				t.Errorf("the file is %q", read(t, file))
			}
			if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
				t.Errorf("%v, %v", entries, err)
			}
		})
	}
	// Without a store the file alone changes.
	alone := keyFile(t, first)
	if said := changed(t, 0, "rotate", alone); !strings.Contains(said, "when they are started") || strings.Count(read(t, alone), "\n") != 2 {
		t.Errorf("it said %q, and made %q", said, read(t, alone))
	}
}

// Of commands that change one key file at the same moment each key that one has told of is in it afterwards.
func TestKeysAtOnce(t *testing.T) {
	t.Parallel()
	file := keyFile(t, gosess(t, home, nil, "keygen").stdout)
	for range 3 {
		var all sync.WaitGroup
		var made atomic.Int32
		before, err := settings.ReadKeys(file)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			all.Go(func() {
				switch r := bounded(t, 0, "keys", "rotate", file); {
				case r.status == 0:
					made.Add(1)
				case r.status != 1 || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "just now") && !strings.Contains(r.stderr, "more are not allowed"):
					t.Errorf("%+v", r)
				}
			})
		}
		all.Wait()
		if after, err := settings.ReadKeys(file); err != nil || len(after) != len(before)+int(made.Load()) || made.Load() == 0 {
			t.Errorf("%d keys, %d before, %d made: %v", len(after), len(before), made.Load(), err)
		}
		if err := os.WriteFile(file, []byte(gosess(t, home, nil, "keygen").stdout), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
