package shm

import (
	"encoding/gob"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/storetest"
)

// TestAnyStore has shm stores pass what every store passes.
func TestAnyStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Open {
		mapping := newMapping(MinSize)
		t.Cleanup(func() {
			s := openShm(t, mapping)
			checkStore(t, s)
			c := testCache(t, s, nil)
			for _, n := range inEachSet(t, s, 0, 1) { // what is dropped while another writes the next writer zeroes
				mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), 1<<32-2)
			}
			checkZero(t, s)
		})
		return func(t testing.TB) sessioncache.Store { return patient(openShm(t, mapping)) }
	})
}

// patient never steals a lock from the living, however busy the machine is.
func patient(s *Store) *Store {
	s.patience = time.Minute
	return s
}

// TestTightSimulation is the simulation of package storetest in a store that is full.
func TestTightSimulation(t *testing.T) {
	for name, s := range map[string]storetest.Simulation{
		"alone":    {Ops: 2000 * thorough, Actors: 1, IDs: 300, Sizes: mixedSizes},
		"4 actors": {Ops: 500 * thorough, Actors: 4, IDs: 100, Sizes: mixedSizes},
	} {
		t.Run(name, func(t *testing.T) {
			store := patient(openShm(t, newMapping(MinSize)))
			s.Run(t, store)
			checkStore(t, store)
		})
	}
}

func mixedSizes(rng *rand.Rand) int {
	if rng.IntN(10) == 0 {
		return 100 + rng.IntN(sessioncache.MaxDER-99)
	}
	return 100 + rng.IntN(2000)
}

const modelEnv = "GOSESS_TEST_MODEL" // the directory of TestModel; this process does what it is told

// beModelWorker does what it is told until nobody tells it anything.
func beModelWorker(t *testing.T, dir string) {
	s := openShm(t, mapShared(t, dir, "store", modelStoreSize))
	c := testCache(t, s, nil)
	in, out := gob.NewDecoder(os.Stdin), gob.NewEncoder(os.NewFile(3, "answers"))
	var op storetest.Op
	for in.Decode(&op) == nil {
		if err := out.Encode(op.Do(c)); err != nil {
			t.Fatal(err)
		}
		op = storetest.Op{}
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

func (w modelWorker) do(t *testing.T, op storetest.Op) (a storetest.Answer) {
	t.Helper()
	if err := w.in.Encode(op); err != nil {
		t.Fatal(err)
	}
	if err := w.out.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestModel has processes do random things in turn, and a model the same: what one
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
			mapping := mapShared(t, dir, "store", modelStoreSize)
			makeHeader(mapping)
			var workers []modelWorker
			for range row.processes {
				workers = append(workers, startModelWorker(t, dir))
			}
			m := storetest.Model{}
			now := int64(testNow)
			for n := range row.operations {
				if rng.IntN(50) == 0 {
					now += int64(rng.IntN(5))
				}
				op := storetest.RandomOp(rng, now, uint32(n))
				who := rng.IntN(len(workers))
				got, want := workers[who].do(t, op), m.Do(op)
				if !got.Equal(want) {
					t.Fatalf("operation %d, process %d: %s of id %x: got %v %d %q, the model %v %d %q", n, who, op.What, op.ID[:2],
						got.OK, len(got.DER), got.Err, want.OK, len(want.DER), want.Err)
				}
			}
			s := openShm(t, mapping)
			m.Check(t, testCache(t, s, &now), now)
			checkStore(t, s)
			checkZero(t, s)
		})
	}
}
