package harness_test

import (
	"path/filepath"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// Is a session that is not resumed only taken for one that was never stored where the store has counted that?
func TestLost(t *testing.T) {
	path := filepath.Join(harness.TempDir(t), "store")
	n := start(t, func(n *harness.Nginx) {
		var err error
		if n.Env, err = harness.Preload("shm:" + path + "?size=1m"); err != nil {
			t.Fatal(err)
		}
	})
	resumed, err := harness.Load(n.Port(), "--sessions", "10", "--attempts", "100")
	if err != nil || resumed.Attempts == 0 {
		t.Fatalf("%+v %v", resumed, err)
	}
	stats, err := harness.ReadStats("shm:" + path)
	if err != nil {
		t.Fatal(err)
	}
	one := resumed
	one.Resumed--
	if got := harness.LostOf(t, one, n.Env, n); got != (stats[sessioncache.Errors] > 0) {
		t.Errorf("one is missing, and the store counted %+v: %v", stats, got)
	}
	if harness.Lost(t, one, "shm:"+path+".none") || harness.Lost(t, one) {
		t.Error("there is no store that could have counted")
	}
}
