package main

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"gosess/internal/inspect"
	"gosess/internal/metrics"
	"gosess/internal/monitor"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// A store in which anything stands behind its header is shown, and emptied, as one that is damaged: nothing of it is taken for a size
// that there is to be room for, or for a lock that somebody holds.
func TestStoreOfAnything(t *testing.T) {
	t.Parallel()
	path, _ := filled(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(10) {
		if err := os.WriteFile(path, anything(good, seed), 0o600); err != nil {
			t.Fatal(err)
		}
		store, err := inspect.ByURL("shm:"+path, inspect.ToChange)
		if err != nil {
			t.Fatal(err)
		}
		out, keys := &output{io.Discard, false}, [][]byte{make([]byte, sessioncache.KeySize)}
		for range 2 { // as it is, and then empty
			showAll(t, out, store)
			if renewed, err := store.RenewedKeys(keys); err != nil || len(renewed) != 1 {
				t.Errorf("%d: %d keys have become of one: %v", seed, len(renewed), err)
			}
			if secrets, err := store.Secrets(keys, 3600, time.Now().Unix()); err != nil || len(secrets) != 0 {
				t.Errorf("%d: %d secrets: %v", seed, len(secrets), err)
			}
			if _, err := store.Flush(nil, 0); err != nil {
				t.Errorf("%d: %v", seed, err)
			}
		}
		store.Close()
	}
}

// anything is a store with other words behind its header: few or all of them, small ones, great ones, and any.
func anything(store []byte, seed uint64) []byte {
	store = append([]byte(nil), store...)
	random := rand.New(rand.NewPCG(seed, 0))
	words := store[shm.HeaderSize:]
	one := random.IntN(2) * random.IntN(1000) // of so many words; 0: all
	for at := 0; at+8 <= len(words); at += 8 {
		if one > 0 && random.IntN(one) > 0 {
			continue
		}
		word := []uint64{^uint64(0), 1 << 63, random.Uint64N(70000), random.Uint64()}[random.IntN(4)]
		binary.NativeEndian.PutUint64(words[at:], word>>random.IntN(64))
	}
	return store
}

// showAll shows a store in all the ways that there are.
func showAll(t *testing.T, out *output, store *inspect.Store) {
	t.Helper()
	seen, err := store.Stats()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	stores := []metrics.Store{{Name: store.Name, Stats: seen}}
	picture := screen{out: out, columns: 80, rows: 24}
	picture.draw(store.Name, &seen, &sessioncache.Stats{}, time.Second, now)
	for _, err := range []error{
		writeStats(out, store.Name, &seen),
		writeObject(out, statsObject(store.Name, &seen)),
		picture.show(true),
		metrics.Write(out, metrics.Prometheus, "1", stores, now.Unix()),
		metrics.Write(out, metrics.OpenMetrics, "1", stores, now.Unix()),
		store.List(nil, func(shm.Listed) {}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	m := monitor.New("1", []monitor.Source{{Name: store.Name, Open: func() (*inspect.Store, error) { return inspect.ByURL(store.Name, inspect.ToRead) }}})
	answer := httptest.NewRecorder()
	monitor.Server(m, false).Handler.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	if answer.Code != 200 || !strings.HasSuffix(answer.Body.String(), "</html>\n") {
		t.Errorf("the page: %d %s", answer.Code, answer.Body)
	}
}
