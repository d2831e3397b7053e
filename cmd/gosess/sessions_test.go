package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

// filled is a store with sessions of two contexts, one of each of which was stored two hours ago.
func filled(t *testing.T) (path string, c *sessioncache.Cache) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "web")
	if err := os.WriteFile(path, header(1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<20); err != nil {
		t.Fatal(err)
	}
	var err error
	if c, err = sessioncache.New(openStoreOf(t, path, 1<<20), [][]byte{make([]byte, sessioncache.KeySize)}); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	for n, stored := range []int64{now - 7200, now} {
		c.SetClock(func() int64 { return stored })
		for k, label := range []string{"a.example", "b.example"} {
			origin := sessioncache.Origin{Owner: [32]byte{byte(k)}}
			origin.Row = c.Row(origin.Owner, label)
			session := sessioncache.Session{ID: []byte{byte(n), byte(k)}, DER: []byte("secret text"), Expires: now + 86400}
			if _, err := c.Put(context.Background(), origin, session); err != nil {
				t.Fatal(err)
			}
		}
	}
	return path, c
}

// openStoreOf opens a store as a worker does.
func openStoreOf(t *testing.T, path string, size int) *shm.Store {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	mapping, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(mapping) })
	store, err := shm.Open(mapping)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestList(t *testing.T) {
	path, _ := filled(t)
	r := gosess(t, home, nil, "ls", "shm:"+path)
	if r.status != 0 || strings.Count(r.stdout, "\n") != 5 || strings.Count(r.stdout, "a.example\n") != 2 ||
		!strings.HasPrefix(r.stdout, "KEY ") || strings.Contains(r.stdout, "secret") {
		t.Errorf("%+v", r)
	}
	r = gosess(t, home, nil, "ls", "--json", "--context", "b.example", "shm:"+path)
	var old int
	for line := range strings.Lines(r.stdout) {
		var one struct {
			Key, Context, Label string
			Stored, Expires     int64
			Size                int
			Used                bool
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil || one.Label != "b.example" || len(one.Key) != 11 || len(one.Context) != 8 ||
			one.Size != 51 || one.Used {
			t.Errorf("%v: %s", err, line)
		}
		if one.Stored < time.Now().Unix()-3600 {
			old++
		}
	}
	if r.status != 0 || old != 1 || strings.Count(r.stdout, "\n") != 2 {
		t.Errorf("%d old: %+v", old, r)
	}
	if r := gosess(t, home, nil, "ls", "--context", "c.example", "shm:"+path); r.status != 1 || r.stdout != "" ||
		!strings.Contains(r.stderr, "(a.example)") {
		t.Errorf("%+v", r)
	}
}

func TestFlush(t *testing.T) {
	path, _ := filled(t)
	left := 4
	for _, test := range []struct {
		args    []string
		flushed int
	}{
		{[]string{"--context", "a.example", "--older", "1h"}, 1},
		{[]string{"--older", "3h"}, 0},
		{[]string{"--context", "b.example"}, 2},
		{[]string{"--json"}, 1},
		{nil, 0},
	} {
		r := gosess(t, home, nil, append(append([]string{"flush"}, test.args...), "shm:"+path)...)
		if want := fmt.Sprintf("flushed %d sessions", test.flushed); r.status != 0 ||
			!strings.Contains(r.stdout, want) && !strings.Contains(r.stdout, fmt.Sprintf(`"flushed": %d`, test.flushed)) {
			t.Errorf("%q: %+v, not %s", test.args, r, want)
		}
		left -= test.flushed
		if r := gosess(t, home, nil, "ls", "shm:"+path); strings.Count(r.stdout, "\n") != left+1 {
			t.Errorf("%q: left\n%s", test.args, r.stdout)
		}
	}
}

// In a fleet the agent is told, who tells the other machines.
func TestFlushOfFleet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	store := fleetStore(t, path)
	key, now := sessioncache.LookupKey{1}, uint32(time.Now().Unix())
	if err := store.Put(context.Background(), &key, []byte("ownr sealed"), now+300, now); err != nil {
		t.Fatal(err)
	}
	if r := gosess(t, home, nil, "flush", "--older", "1h", "shm:"+path); r.status != 1 || !strings.Contains(r.stderr, "allowed: without --older") {
		t.Errorf("--older: %+v", r)
	}
	if r := gosess(t, home, nil, "flush", "shm:"+path); r.status != 0 || !strings.Contains(r.stdout, "flushed 1 session") {
		t.Errorf("%+v", r)
	}
	news := store.Window().Drain(make([]window.Item, 0, 8))
	if len(news) != 1 || news[0] != window.Flush(nil, 0) {
		t.Errorf("the agent is told %+v", news)
	}
}
