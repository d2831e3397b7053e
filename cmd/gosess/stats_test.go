package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gosess/internal/span"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

// header is that of an empty store of a size, made one hour after the epoch.
func header(size uint64) []byte {
	h := make([]byte, 64)
	copy(h, "gosess\r\n")
	binary.LittleEndian.PutUint32(h[shm.VersionAt:], shm.Version)
	binary.LittleEndian.PutUint32(h[12:], 64)
	binary.LittleEndian.PutUint64(h[16:], size)
	binary.LittleEndian.PutUint64(h[24:], 3600)
	binary.LittleEndian.PutUint32(h[60:], crc32.ChecksumIEEE(h[:60]))
	return h
}

// counted writes a store with one worker, this process, whose n-th counter is n+1.
func counted(t *testing.T, file *os.File) {
	t.Helper()
	const size = 1 << 20
	content := make([]byte, size)
	copy(content, header(size))
	slot := content[shm.PlacesOf(len(content)).WorkersAt:]
	binary.NativeEndian.PutUint64(slot, uint64(os.Getpid()))
	binary.NativeEndian.PutUint64(slot[8:], 7200)
	for i := range sessioncache.CounterCount {
		binary.NativeEndian.PutUint64(slot[64+8*i:], uint64(i+1))
	}
	binary.NativeEndian.PutUint64(slot[16:], 0x30000130<<32|14<<24|0x000100)
	binary.NativeEndian.PutUint64(slot[8*73:], 1)
	binary.NativeEndian.PutUint64(slot[8*87:], 600)
	row := content[shm.PlacesOf(len(content)).RowsAt:]
	binary.NativeEndian.PutUint64(row, uint64(os.Getpid()))
	binary.NativeEndian.PutUint64(row[8:], 1<<32|0x04030201)
	binary.NativeEndian.PutUint64(row[16:], 7201)
	copy(row[24:], "a.example")
	for i := range sessioncache.CounterCount {
		binary.NativeEndian.PutUint64(row[64+8*i:], uint64(i+1))
	}
	record := content[shm.PlacesOf(size).RecordsAt:] // live, of 60 bytes
	for at, word := range map[int]uint64{0: 3<<62 | 60<<32 | 1, 3: 3602<<32 | 3603, 12: 5, 13: 4} {
		binary.NativeEndian.PutUint64(record[8*at:], word)
	}
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
}

func TestStats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o400)
	if err != nil {
		t.Fatal(err)
	}
	counted(t, file)
	file.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	r := gosess(t, home, []string{"TZ=UTC"}, "stats", "--json", "shm:"+path)
	var members []string
	for c, d := range sessioncache.Descriptions {
		members = append(members, fmt.Sprintf(`"%s":%d`, camel(d.Name), c+1))
	}
	counters := strings.Join(members, ",")
	want := fmt.Sprintf(`{"store":"shm:%s",%s,"entries":0,"used":0,"capacity":908672,"oldest":0,"size":1048576,"created":3600,`+
		`"workers":[{"pid":%d,"started":7200,"live":true,"version":"0.1.0","abi":14,"libssl":"3.0.19",%s}],`+
		`"contexts":[{"context":"01020304","label":"a.example","started":7201,"live":true,"pids":[%d],%s}],`,
		path, counters, os.Getpid(), counters, os.Getpid(), counters)
	var got bytes.Buffer
	if err := json.Compact(&got, []byte(r.stdout)); err != nil || r.status != 0 || !strings.HasPrefix(got.String(), want) {
		t.Errorf("%v: %+v, want %s", err, r, want)
	}
	if !strings.HasPrefix(r.stdout, "{\n  \"store\"") {
		t.Errorf("not for reading: %s", r.stdout)
	}
	if !strings.Contains(got.String(), `"latency":{"get":{"sum":6e-7,"buckets":[{"below":5.12e-7,"count":0},{"below":0.000001024,"count":1},`) {
		t.Errorf("latency: %s", got.String())
	}

	r = gosess(t, home, []string{"TZ=UTC"}, "stats", "shm:"+path)
	if strings.Contains(r.stdout, unused) {
		t.Errorf("a worker has used it: %s", r.stdout)
	}
	reasons := "missed: 9 absent, 10 expired, 11 name, 12 terms, 13 unknown, 14 cipher, 15 taken, 16 broken; " +
		"kept: 17 unknown, 18 data, 19 rules, 20 chain, 21 large, 22 added"
	for _, line := range []string{
		fmt.Sprintf("made 1970-01-01 01:00:00, size 1m, format %d", shm.Version),
		"sessions 0, in 0 bytes, 0.0 % of the room",
		"lookups 3: 1 hits (33.3 %), 2 misses: 9 absent, 10 expired, 11 name, 12 terms, 13 unknown, 14 cipher, 15 taken, 16 broken",
		"stores 3, kept in their process: 17 unknown, 18 data, 19 rules, 20 chain, 21 large, 22 added",
		"ends 4 evicted at an age of 5s, 5 expired, 6 removed, 7 too big, 8 errors",
		"latency get p50 < 1.0 us, p99 < 1.0 us",
		"tickets 24 made, 25 accepted, 81 not accepted: 26 unknown, 27 ended, 28 refused",
		"tickets of made accepted unknown ended refused",
		"a.example 24 25 26 27 28",
		"secret made age ends in tickets made accepted",
		fmt.Sprintf("1970-01-01 01:00:02 %s 0s 5 4", span.Short(time.Now().Unix()-3602)),
		"context hits misses hit % stores kept why",
		"a.example 1 2 33.3 3 117 " + reasons,
		"all 1 2 33.3 3 117 1970-01-01 01:00:00",
		fmt.Sprintf("%d 1 2 33.3 3 117 1970-01-01 02:00:00; %s", os.Getpid(), reasons),
	} {
		if !strings.Contains("\n"+squeeze(r.stdout)+"\n", "\n"+line+"\n") {
			t.Errorf("%q is missing in\n%s", line, r.stdout)
		}
	}
	if !strings.HasSuffix(got.String(), `"secrets":[{"made":3602,"ends":3603,"ticketsMade":5,"ticketsAccepted":4}]}`) {
		t.Errorf("secrets: %s", got.String())
	}
	if r = gosess(t, home, nil, "stats", "--prometheus", "shm:"+path); r.status != 0 ||
		!strings.Contains(r.stdout, fmt.Sprintf("\ngosess_misses_total{store=\"shm:%s\",context=\"a.example\",reason=\"terms\"} 12\n", path)) {
		t.Errorf("--prometheus: %+v", r)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("stats wrote to the store (%v)", err)
	}
}

// The store of a fleet says how its agent is, and what it was asked; that of one machine has nothing of that.
func TestStatsOfFleet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	store := fleetStore(t, path)
	text := func() string {
		t.Helper()
		r := gosess(t, home, nil, "stats", "shm:"+path)
		if r.status != 0 {
			t.Fatalf("%+v", r)
		}
		return "\n" + squeeze(r.stdout)
	}
	if got := text(); !strings.Contains(got, "\nagent none serves the store: ") || !strings.Contains(got, "\nasked it nothing yet\n") {
		t.Errorf("without an agent: %s", got)
	}
	store.Versions(sessioncache.Versions{Gosess: 0x000100})
	if got := text(); !strings.Contains(got, fmt.Sprintf("\n%d agent 0 0 0.0 0 0 ", os.Getpid())) || !strings.HasSuffix(got, "\n"+squeeze(unused)[1:]) {
		t.Errorf("an agent alone: %s", got)
	}
	w := store.Window()
	w.Renew(window.LongestLease)
	if got := text(); !strings.Contains(got, "\nagent serves the store, and the gate is closed: ") {
		t.Errorf("with a closed gate: %s", got)
	}
	w.OpenGate()
	w.Tell(window.Flush(nil, 0))
	for c := range window.CounterCount {
		w.Count(c, uint64(c+1))
	}
	for _, line := range []string{
		"agent serves the store; 0 handshakes wait, 1 news not delivered",
		"asked it 1 hits, 2 misses, 3 failures, 4 timeouts, 5 crowded, 6 robbed; lost: 8 overrun, 9 torn, 7 reclaimed",
	} {
		if got := text(); !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("%q is missing in %s", line, got)
		}
	}
	var got bytes.Buffer
	want := `"agent":{"serves":true,"gateOpen":true,"waiting":0,"queue":1,"hits":1,"misses":2,"failures":3,"timeouts":4,"crowded":5,"robbed":6,` +
		`"overrun":8,"torn":9,"reclaimed":7}}`
	r := gosess(t, home, nil, "stats", "--json", "shm:"+path)
	if err := json.Compact(&got, []byte(r.stdout)); err != nil || !strings.HasSuffix(got.String(), want) {
		t.Errorf("%v: %s, not %s", err, got.String(), want)
	}
	r = gosess(t, home, nil, "stats", "--prometheus", "shm:"+path)
	for _, line := range []string{
		"gosess_agent_up{store=\"shm:%s\"} 1", "gosess_agent_gate_open{store=\"shm:%s\"} 1", "gosess_agent_waiting{store=\"shm:%s\"} 0",
		"gosess_agent_queue{store=\"shm:%s\"} 1", "gosess_agent_requests_total{store=\"shm:%s\",result=\"timeouts\"} 4",
		"gosess_agent_lost_total{store=\"shm:%s\",what=\"torn\"} 9",
	} {
		if line = fmt.Sprintf(line, path); !strings.Contains(r.stdout, "\n"+line+"\n") {
			t.Errorf("%s is missing in %s", line, r.stdout)
		}
	}
}

// fleetStore makes an empty store of a fleet.
func fleetStore(t *testing.T, path string) *shm.Store {
	t.Helper()
	const size = shm.MinSize + window.Size
	content := header(size)
	binary.LittleEndian.PutUint32(content[shm.KindAt:], shm.KindFleet)
	binary.LittleEndian.PutUint32(content[shm.SumAt:], crc32.ChecksumIEEE(content[:shm.SumAt]))
	if err := os.WriteFile(path, append(content, make([]byte, size-len(content))...), 0o600); err != nil {
		t.Fatal(err)
	}
	return openStoreOf(t, path, size)
}

// A store that nobody has asked is what tickets leave of it: stats says so, to people.
func TestStatsOfNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	if err := os.WriteFile(path, header(1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<20); err != nil {
		t.Fatal(err)
	}
	if r := gosess(t, home, nil, "stats", "shm:"+path); r.status != 0 || !strings.HasSuffix(r.stdout, unused) {
		t.Errorf("%+v", r)
	}
	if r := gosess(t, home, nil, "stats", "--json", "shm:"+path); r.status != 0 || strings.Contains(r.stdout, "No worker") {
		t.Errorf("%+v", r)
	}
}

// squeeze makes one space of several.
func squeeze(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

func TestCamel(t *testing.T) {
	for words, want := range map[string]string{"hits": "hits", "too big": "tooBig", "one two three": "oneTwoThree"} {
		if got := camel(words); got != want {
			t.Errorf("%q is %q", words, got)
		}
	}
}

func TestClock(t *testing.T) {
	if clock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local).Unix()) != "2026-01-02 03:04:05" {
		t.Error("clock")
	}
}
