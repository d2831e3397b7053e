package sessioncache

import (
	"encoding/gob"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const modelEnv = "GOSESS_TEST_MODEL" // the directory of TestModel; this process does what it is told

// modelOp is what a process is told to do, and modelAnswer what came of it.
type modelOp struct {
	What    string
	Origin  Origin
	ID, DER []byte
	Expires int64
	Now     int64
	Agree   bool // of a removal: it is the one
}

type modelAnswer struct {
	OK     bool
	Stored Stored
	DER    []byte
	Err    string
}

func (op modelOp) do(c *Cache) (a modelAnswer) {
	c.now = func() int64 { return op.Now }
	switch op.What {
	case "put":
		if _, err := c.Put(op.Origin, Session{op.ID, op.DER, op.Expires}); err != nil {
			a.Err = err.Error()
		}
	case "get":
		a.DER, a.Stored, a.OK = c.Get(op.Origin, op.ID, nil)
	case "take":
		a.DER, a.Stored, a.OK = c.Take(op.Origin, op.ID, nil)
	case "remove", "has":
		look := c.Remove
		if op.What == "has" {
			look = func(id []byte, same func([]byte, Seal) bool) bool { return c.Has(op.Origin.Owner, id, same) }
		}
		a.OK = look(op.ID, func(der []byte, _ Seal) bool {
			a.DER = append(a.DER[:0], der...)
			return op.Agree
		})
	case "flush":
		c.Flush(op.Origin.Owner, op.Expires)
	}
	return a
}

// beModelWorker does what it is told until nobody tells it anything.
func beModelWorker(t *testing.T, dir string) {
	s := openShm(t, takeMapping(t, dir, "store", modelStoreSize))
	c := testCache(t, s, nil)
	in, out := gob.NewDecoder(os.Stdin), gob.NewEncoder(os.NewFile(3, "answers"))
	var op modelOp
	for in.Decode(&op) == nil {
		if err := out.Encode(op.do(c)); err != nil {
			t.Fatal(err)
		}
		op = modelOp{}
	}
}

const modelStoreSize = 8 << 20 // nothing is evicted: every miss has a reason

// modelWorker is a process that does what it is told.
type modelWorker struct {
	in  *gob.Encoder
	out *gob.Decoder
}

func startModelWorker(t *testing.T, dir string) modelWorker {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestModel$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), modelEnv+"="+dir)
	cmd.Stderr = os.Stderr
	answers, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{theirs}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("a process: %v", err)
		}
		answers.Close()
	})
	return modelWorker{gob.NewEncoder(in), gob.NewDecoder(answers)}
}

func (w modelWorker) do(t *testing.T, op modelOp) (a modelAnswer) {
	t.Helper()
	if err := w.in.Encode(op); err != nil {
		t.Fatal(err)
	}
	if err := w.out.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestModel has processes do random things in turn, and a plain map do the same: what one
// process did, the next one sees.
func TestModel(t *testing.T) {
	if dir := os.Getenv(modelEnv); dir != "" {
		beModelWorker(t, dir)
		return
	}
	seed := uint64(time.Now().UnixNano())
	for _, row := range []struct{ operations, processes int }{
		{250 * thorough, 1}, {1000 * thorough, 2}, {1000 * thorough, 4}, {500 * thorough, 8},
	} {
		t.Run(fmt.Sprintf("%d operations, %d processes", row.operations, row.processes), func(t *testing.T) {
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, uint64(row.processes)))
			dir := t.TempDir()
			mapping := mapFile(t, filepath.Join(dir, "store"), modelStoreSize, syscall.PROT_READ|syscall.PROT_WRITE)
			makeHeader(mapping)
			var workers []modelWorker
			for range row.processes {
				workers = append(workers, startModelWorker(t, dir))
			}
			m := plainMap{}
			now := int64(testNow)
			for n := range row.operations {
				if rng.IntN(50) == 0 {
					now += int64(rng.IntN(5))
				}
				op := randomOp(rng, now, uint32(n))
				who := rng.IntN(len(workers))
				got, want := workers[who].do(t, op), m.do(op)
				if got.OK != want.OK || got.Err != want.Err || string(got.DER) != string(want.DER) || got.Stored.Expires != want.Stored.Expires {
					t.Fatalf("operation %d, process %d: %s of id %x: got %v %d %q, the map %v %d %q", n, who, op.What, op.ID[:2],
						got.OK, len(got.DER), got.Err, want.OK, len(want.DER), want.Err)
				}
			}
			s := openShm(t, mapping)
			c := testCache(t, s, &now)
			checkModel(t, s, c, m.entries(c))
			checkZero(t, s)
			if total := s.Stats().Total; total.Errors != 0 || total.Evictions != 0 {
				t.Errorf("counters: %+v", total)
			}
		})
	}
}

func randomOp(rng *rand.Rand, now int64, version uint32) modelOp {
	id := rng.IntN(150)
	names := []string{"", "a.example", "B.example"}
	op := modelOp{
		ID: testID(id), Now: now, Agree: rng.IntN(2) == 0,
		Origin: Origin{Owner: [32]byte{byte(rng.IntN(2))}, Terms: [32]byte{byte(id % 5)}, ServerName: names[id%len(names)]},
	}
	if rng.IntN(5) == 0 {
		op.Origin.ServerName = names[rng.IntN(len(names))]
	} else if rng.IntN(5) == 0 {
		op.Origin.Terms = [32]byte{byte(rng.IntN(5))}
	}
	switch n := rng.IntN(100); {
	case n < 35:
		op.What, op.Expires = "put", now-1+int64(rng.IntN(30))
		op.DER = testDER(op.ID, version, 100+rng.IntN(300))
		switch rng.IntN(200) {
		case 0:
			op.DER = testDER(op.ID, version, MaxDER+1)
		case 1, 2:
			op.DER = testDER(op.ID, version, 2000) // not large: two of those push each other out of a set
		}
	case n < 75:
		op.What = "get"
	case n < 85:
		op.What = "take"
	case n < 95:
		op.What = "remove"
	case n < 98:
		op.What = "has"
	default:
		op.What, op.Expires = "flush", now+int64(rng.IntN(10))
	}
	return op
}

// fits is nameFits in other words.
func fits(a, b string) bool { return a == "" || b == "" || strings.EqualFold(a, b) }

// plainMap is what a cache is to be.
type plainMap map[string]modelOp // the put

func (m plainMap) do(op modelOp) (a modelAnswer) {
	key := string(op.ID)
	entry, ok := m[key]
	if ok && entry.Expires < op.Now && op.What != "flush" {
		// It is dropped when it is seen; a put of something else in its set may have been first.
		ok = false
		if op.What != "put" {
			delete(m, key)
		}
	}
	same := ok && entry.Origin.Terms == op.Origin.Terms && fits(entry.Origin.ServerName, op.Origin.ServerName)
	switch op.What {
	case "put":
		switch {
		case len(op.DER) > MaxDER:
			a.Err = ErrTooBig.Error()
		case op.Expires < op.Now:
			a.Err = ErrExpired.Error()
		default:
			m[key] = op
		}
	case "get", "take":
		if same {
			a = modelAnswer{OK: true, DER: entry.DER, Stored: Stored{Expires: entry.Expires}}
			if op.What == "take" {
				delete(m, key)
			}
		}
	case "remove":
		if ok {
			a.DER = entry.DER
			if a.OK = op.Agree; a.OK {
				delete(m, key)
			}
		}
	case "has":
		if ok {
			a.DER, a.OK = entry.DER, op.Agree && entry.Origin.Owner == op.Origin.Owner
		}
	case "flush":
		for key, entry := range m {
			if entry.Origin.Owner == op.Origin.Owner && (op.Expires == 0 || entry.Expires < op.Expires) {
				delete(m, key)
			}
		}
	}
	return a
}

// entries are the live sessions by the key that they lie under. Those that have expired and
// that nobody has seen since are looked up, which drops them.
func (m plainMap) entries(c *Cache) map[LookupKey][]byte {
	held := map[LookupKey][]byte{}
	w := c.begin()
	defer c.end(w)
	for _, entry := range m {
		if entry.Expires < c.now() {
			c.Get(entry.Origin, entry.ID, nil)
			continue
		}
		w.lookup(0, entry.ID)
		held[w.key] = entry.DER
	}
	return held
}
