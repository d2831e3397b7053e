package shim_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
}

// open makes a directory that other users can look into.
func open(t *testing.T) string {
	t.Helper()
	return harness.TempDir(t)
}

// copyCore copies the Go half to a file of that mode.
func copyCore(t *testing.T, mode os.FileMode) string {
	t.Helper()
	built, err := harness.Built("libgosess-core.so")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(open(t), "libgosess-core.so")
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// Is the Go half loaded in the processes that serve, and nowhere else?
func TestWhereTheCoreIs(t *testing.T) {
	served(t, "processes", "master").run(t).wants(t,
		"master: not loaded, 1 thread", "full", "resumed", "master: not loaded, 1 thread")
	served(t, "processes", "daemon-style").run(t).wants(t,
		"full, resumed", "between: not loaded, 1 thread", "first: not loaded, 1 thread")
	served(t, "processes", "configuring").run(t).wants(t, "master: not loaded, 1 thread")
	served(t, "processes", "no-context").run(t).wants(t,
		"child: not loaded, 1 thread", "child: not loaded, 1 thread", "child: not loaded, 1 thread")
}

// Does a child serve whose parent had loaded the Go half, without ever calling it?
func TestChildOfALoadedProcess(t *testing.T) {
	s, counted := served(t, "processes", "loaded-parent").counted(t)
	s.wants(t, "parent: loaded, threads",
		// libssl's own cache has been given back to it.
		"full, full", "full, resumed", "threads 1",
		"full, full", "full, resumed", "threads 1",
		"parent: resumed")
	s.logs(t, "forked from one that had loaded the Go half")
	if want := (sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Hits: 1}); counted != want {
		t.Errorf("counted %+v, not the parent's own %+v", counted, want)
	}
}

// Is nothing said of children of a loaded process that only become another user and program?
func TestHelpersSayNothing(t *testing.T) {
	needRoot(t)
	s := served(t, "helpers", "other-programs").run(t)
	s.wants(t, "full, resumed", "full, resumed")
	s.logs(t)
}

// Does a file that the log cannot be written to cost the log, and not the cache?
func TestLogWithoutFile(t *testing.T) {
	for file, why := range map[string]string{"/nonexistent/log": "No such file", "/": "Is a directory"} {
		h := served(t, "processes", "closes-files")
		h.env = []string{"GOSESS_LOG=info:" + file}
		s := h.run(t)
		s.wants(t, "full, resumed", "full, resumed")
		s.logs(t, "GOSESS_LOG: cannot open "+file+": "+why, "context ")
	}
	h := served(t, "processes", "closes-files")
	h.env = []string{"GOSESS_LOG=off:/nonexistent/log"}
	h.run(t).logs(t)
}

// Is a child left alone that shares its parent's memory until it is another program (vfork)?
func TestBorrowedMemory(t *testing.T) {
	needRoot(t)
	s := served(t, "helpers", "borrowed-memory").run(t)
	s.wants(t, "parent: not loaded, 1 thread", "worker: not loaded, 1 thread",
		"full, resumed", "full, resumed", "full, resumed", "full, resumed", "full, resumed")
	s.logs(t)
}

// Can a process go on as a process does, once the Go half is in it?
func TestLoadedProcessGoesOn(t *testing.T) {
	served(t, "processes", "starts-programs").run(t).wants(t, "full, resumed", "started: good", "full, resumed")
	served(t, "processes", "closes-files").run(t).wants(t, "full, resumed", "full, resumed")
}

// Does it survive when no thread may be started, before or after it is loaded?
func TestNoMoreThreads(t *testing.T) {
	needRoot(t)
	core := "GOSESS_CORE=" + copyCore(t, 0o644)
	h := served(t, "limits", "nproc-before")
	h.env = []string{core}
	s := h.run(t)
	s.wants(t, "full, resumed", "worker: not loaded, 1 thread") // by libssl
	s.logs(t, "no more threads may be started here")

	h = served(t, "limits", "nproc-after")
	h.env = []string{core, "GOGC=1"} // a collection at every turn
	s, counted := h.counted(t)
	var missed, handshakes uint64
	lines := strings.Split(s.out, "\n")
	if len(lines) > 1 {
		if _, err := fmt.Sscanf(lines[1], "%d of %d not resumed", &missed, &handshakes); err != nil {
			t.Errorf("%q: %v", lines[1], err)
		}
		lines[1] = "some not resumed"
	}
	if got := strings.Join(lines, "|"); got != "worker: loaded, threads|some not resumed|full, resumed|" {
		t.Errorf("printed:\n%s%s", s.out, s.stderr)
	}
	// A session is not stored where a thread that writes to the same set of the store has no core for 0.5 ms: sessioncache/shm/lock.go.
	if missed > counted[sessioncache.Errors] || missed > handshakes/50 {
		t.Errorf("%d of %d were not resumed, and the store counted %+v", missed, handshakes, counted)
	}
	s.logs(t)
}

func TestLittleAddressSpace(t *testing.T) {
	s := served(t, "limits", "as-before").run(t)
	s.wants(t, "full, resumed", "worker: not loaded, 1 thread") // by libssl
	s.logs(t, "RLIMIT_AS")

	s = served(t, "limits", "data-before").run(t)
	s.wants(t, "full, resumed") // by libssl
	s.logs(t, "RLIMIT_DATA")

	s = served(t, "limits", "spaces").run(t)
	s.wants(t, "full, resumed")
	s.logs(t, "RLIMIT_AS")
}

// Is the Go half there before its file is out of sight or of reach?
func TestLoadsBeforeTheDoorsClose(t *testing.T) {
	needRoot(t)
	core := "GOSESS_CORE=" + copyCore(t, 0o600)
	h := served(t, "processes", "chroots")
	h.env = []string{core, "TEST_ROOT=" + open(t)}
	h.run(t).wants(t, "full", "resumed")
	served(t, "processes", "linked").run(t).wants(t, "linked: not loaded, 1 thread")

	h = served(t, "processes", "setuids")
	h.env = []string{core}
	h.run(t).wants(t, "full", "resumed")

	h = served(t, "processes", "setuids-unseen") // nobody told gosess: then it fails open
	h.env = []string{core}
	s := h.run(t)
	s.wants(t, "full", "full")
	s.logs(t, "Permission denied")
}

// Does a process survive that somebody truncates the store under it, whatever it does with SIGBUS?
func TestTruncatedStore(t *testing.T) {
	for scenario, want := range map[string][]string{
		"truncated":                        {"full, resumed", "full, full", "full, full"},
		"truncated-before":                 {"full, full"},
		"truncated-blocked":                {"full, resumed", "full, full", "full, full"},
		"truncated-handled":                {"full, resumed", "full, full"},
		"truncated-default":                {"full, resumed", "full, full"},
		"truncated-little-stack":           {"full, resumed", "full, full"},
		"truncated-little-stack-of-thread": {"full, resumed", "full, full"},
	} {
		path := filepath.Join(t.TempDir(), "store")
		h := served(t, "truncated", scenario)
		h.cache = "shm:" + path + "?size=1m"
		h.env = []string{"TEST_STORE=" + path}
		s := h.run(t)
		s.wants(t, want...)
		if len(s.lines) != 1 {
			t.Errorf("%s: logged %q", scenario, s.lines)
		}
	}
}

// The same where tickets are counted in the store, and resumed without it.
func TestTruncatedTally(t *testing.T) {
	for _, version := range versions {
		path := filepath.Join(t.TempDir(), "store")
		h := served(t, "truncated", version, "tickets-handled")
		h.cache = "shm:" + path + "?size=1m"
		h.env = []string{"TEST_STORE=" + path, "GOSESS_TICKETS=shared"}
		s := h.run(t)
		s.wants(t, "full, resumed", "full, resumed", "full, resumed")
		if len(s.lines) != 1 {
			t.Errorf("%s: logged %q", version, s.lines)
		}
	}
}

// Does the host serve, and say why it does so without a cache, whatever is wrong with the Go half?
func TestUnusableCore(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, core, says string }{
		{"missing", "/nonexistent/core.so", "cannot use /nonexistent/core.so"},
		{"no library", text, "cannot use " + text},
		{"other version", standIn(t, "abi", "-DABI=GOSESS_CORE_ABI+1"), "another version"},
		{"lacks a function", standIn(t, "lacks", "-DWITHOUT_SERVE"), "it lacks gosess_core_serve"},
		{"does not start", standIn(t, "fails", "-DSTART=-1"), "the stand-in will not start"},
		{"relative", "core.so", "allowed: an absolute path"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := served(t, "processes", "loaded-parent")
			h.path, h.arguments = program(t, "chained"), []string{"theirs-misses", "off"}
			h.second = true
			h.env = []string{"GOSESS_CORE=" + test.core}
			s := h.run(t)
			s.wants(t, "full: new", "full: get new", "full: -", "full: -")
			s.logs(t, test.says)
		})
	}
}

// Is a variable whose name is nearly one that is read told, once, whatever else is set, and none that only begins like one?
func TestMisspeltVariables(t *testing.T) {
	for name, meant := range map[string]string{
		"GOSESS_CHACHE": "GOSESS_CACHE", "GOSES_CACHE": "GOSESS_CACHE", "GOSESS_CAHCE": "GOSESS_CACHE", "GOSESS_TICKET": "GOSESS_TICKETS",
		"GOSESS_TICKETS_PERIOD": "GOSESS_TICKET_PERIOD", "GOSESS_KEY": "GOSESS_KEYS", "GOSESS_LOGS": "GOSESS_LOG", "GOSESS_CODE": "GOSESS_CORE",
		"GOSESS_PORT": "", "GOSESS_TESTS": "", "GOSESS_SERVICE_HOST": "", "GOSESS_TICKETS": "",
	} {
		for _, cache := range []string{"shm:?size=1m", ""} {
			h := served(t, "chained", "theirs-misses", "off")
			h.cache, h.second = cache, true
			h.env = []string{name + "=keep"}
			s := h.run(t)
			if meant == "" {
				s.logs(t)
			} else {
				s.logs(t, "variable "+name+" is not read; allowed: "+meant)
			}
		}
	}
}

// Are the callbacks given back with the cache, so that libssl keeps what it would and no more?
func TestCallbacksGivenBack(t *testing.T) {
	for _, version := range versions {
		without := plain(t, "chained", version, "stateless").run(t)
		h := served(t, "chained", version, "stateless")
		h.env = []string{"GOSESS_CORE=/nonexistent/core.so"}
		s := h.run(t)
		if s.out != without.out {
			t.Errorf("printed:\n%swithout gosess:\n%s", s.out, without.out)
		}
		s.logs(t, "cannot use /nonexistent/core.so")
	}
}

// Does nothing but the first handshake wait for a Go half that hangs?
func TestLateCoreHoldsNobody(t *testing.T) {
	h := served(t, "processes", "late-setter")
	h.env = []string{"GOSESS_CORE=" + standIn(t, "late", "-DSECONDS=3")}
	h.run(t).wants(t, "full, full", "did not wait")
}

// Does a host serve while the Go half hangs, and use it when it has come?
func TestLateCore(t *testing.T) {
	h := served(t, "processes", "late")
	h.env = []string{"GOSESS_CORE=" + standIn(t, "late", "-DSECONDS=3"), "GOSESS_LOG=info"}
	s := h.run(t)
	s.wants(t, "full, full", "later: resumed", "full, resumed")
	s.logs(t, "context ", "has not within", "has started, late")
}
