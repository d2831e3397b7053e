package harness

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"gosess/internal/inspect"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// Two ciphers of TLS 1.2, each for both kinds of certificate.
const (
	oneCipher     = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
	anotherCipher = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
)

// StatsHaveReasons wants a store to say why sessions are not resumed that have expired, were used once, were damaged, or are of a
// cipher that the server has given up: as often as the load client has offered them. StatsAgree has the other reasons.
func (w Walker) StatsHaveReasons(t *testing.T) {
	EachVersion(t, func(t *testing.T, version string) {
		walk := w(t, version, true, NoTickets)
		walk.Again = func() error { return StopAndStart(walk.Server) }
		*walk.Env = append(*walk.Env, "GOSESS_LOG=off") // each worker would say what it finds damaged
		for i, variable := range *walk.Env {
			if strings.HasPrefix(variable, "GOSESS_CACHE=") {
				(*walk.Env)[i] += "&single-use=tls13"
			}
		}
		own := walk.as(States[0])
		makes := func() (file string) {
			file = t.TempDir() + "/sessions"
			walk.counts(t, own.With("--sessions", "20", "--attempts", "0", "--save", file), sessioncache.Stores)
			own.Visits() // what the server's own cache has room for, if only one
			return file
		}
		offers := func(file string, as sessioncache.Counter) {
			t.Helper()
			walk.counts(t, own.With("--load", file, "--attempts", "20", "--resume-only"), as)
		}
		configure := func(running bool, cipher string, lifetime int) {
			t.Helper()
			hosts := walk.Credentials.Hosts(States[0])
			for i := range hosts {
				hosts[i].Cipher, hosts[i].Lifetime = cipher, lifetime
			}
			walk.configured(t, hosts, running)
			own.Visits()
		}
		configure(false, oneCipher, hostLifetime)
		made := makes()
		offers(made, sessioncache.Hits)
		if version == "1.3" {
			offers(made, sessioncache.MissedTaken)
		}
		made = makes()
		if n := spoil(t, walk.Guest.Store); n < 20 {
			t.Errorf("%d sessions were damaged", n)
		}
		offers(made, sessioncache.MissedBroken)
		offers(made, sessioncache.MissedAbsent)
		if version == "1.3" {
			return // its ciphers are chosen anew, and no client offers what has expired (RFC 8446, section 4.6.1)
		}
		made = makes()
		configure(true, anotherCipher, hostLifetime)
		offers(made, sessioncache.MissedCipher)
		walk.flush(t)
		configure(true, "", 2)
		made = makes()
		expired := func() bool { return walk.left(t, 20) }
		if err := WaitFor("sessions to expire", expired); err != nil {
			t.Error(err)
		}
		offers(made, sessioncache.MissedExpired)
		offers(made, sessioncache.MissedAbsent)
	})
}

// left says whether so many sessions of the store, or more, have expired, and none has not.
func (w *Walk) left(t *testing.T, many int) bool {
	t.Helper()
	over, more := 0, 0
	now := time.Now().Unix()
	eachSession(t, w.Guest.Store, func(l shm.Listed) {
		if l.Expires < now {
			over++
		} else {
			more++
		}
	})
	return over >= many && more == 0
}

func eachSession(t *testing.T, url string, do func(shm.Listed)) {
	t.Helper()
	store, err := inspect.ByURL(url, inspect.ToRead)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.List(nil, do); err != nil {
		t.Fatal(err)
	}
}

// spoil damages what is sealed of each session of a store, and says how many there were. An entry begins with half of its key, which
// is listed, and in the word after that are sealed bytes alone (docs/shm-format.md).
func spoil(t *testing.T, url string) (spoilt int) {
	t.Helper()
	const inSlot = 12 // bits of the key that are in the slot
	keys := map[uint32]bool{}
	eachSession(t, url, func(l shm.Listed) { keys[uint32(l.Key>>inSlot)] = true })
	path := strings.TrimPrefix(url, "shm:")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for at := shm.HeaderSize; at < len(content)-8; at += 8 {
		if !keys[uint32(binary.NativeEndian.Uint64(content[at:]))] {
			continue
		}
		if _, err := file.WriteAt([]byte{content[at+8] ^ 1}, int64(at+8)); err != nil {
			t.Fatal(err)
		}
		spoilt++
	}
	return spoilt
}
