package main

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"gosess/agent/internal/beat"
	"gosess/agent/internal/journal"
	"gosess/agent/internal/options"
	"gosess/agent/internal/remote"
	"gosess/agent/internal/serve"
	"gosess/agent/internal/system"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

const (
	// threads that run Go at once: two wait in futexes, which Go does not know of, and others have work meanwhile.
	threads = 4
	// farewell is how long an agent that is asked to end delivers what is on its way.
	farewell = 3 * time.Second
	// lookEvery is how often it looks whether its store is still the one of that name.
	lookEvery = time.Second
)

// A restart is an error after which the agent is to be started again: its store has been replaced.
var errReplaced = errors.New("the store was replaced by another one: start again")

// version is the version of the library that this was built with: set by the linker.
var version = "unknown"

// serveStore is the agent: it opens everything, becomes its own user, and serves until it is told to end.
func serveStore(arguments []string) error {
	told, err := options.Parse(arguments, "store", "far")
	if err != nil {
		return usageError{err}
	}
	runtime.GOMAXPROCS(max(threads, runtime.GOMAXPROCS(0)))
	log := journal.New(os.Stderr, os.Getenv)
	if err := system.NoDumps(); err != nil { // before there is anything in the memory
		return err
	}
	manager := system.FindManager(os.Getenv, os.Getpid())
	identity, err := system.Find(told.User)
	if err != nil {
		return err
	}
	secrets, err := told.Far.Read(os.Getenv)
	if err != nil {
		return err
	}
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM, syscall.SIGINT)
	store, err := await(told.Store, log, manager, ends)
	if store == nil {
		return err
	}
	defer store.Close()
	store.Versions(sessioncache.Versions{Gosess: sessioncache.GosessVersion(version)})
	if os.Geteuid() == 0 {
		if err := identity.Become(); err != nil {
			return err
		}
	}
	var agent *serve.Agent
	client := remote.New(told.Far, secrets, log, func(up bool, began time.Time, trip time.Duration) { agent.Changed(up, began, trip) },
		func(message []byte) { agent.Heard(message) })
	agent = serve.New(store.Window(), store.Store, client, log, told.Far.Push)
	agent.Start()
	client.Start()
	log.Notice("begin", "serving %s for %s", told.Store, told.Far)
	manager.Tell("READY=1", "STATUS=serving "+told.Store)
	err = watch(store, manager, ends)
	manager.Tell("STOPPING=1")
	if left := agent.Stop(farewell); left > 0 {
		log.Failure("end", "ending with %d sessions or removals that the far store was not told of", left)
	} else {
		log.Notice("end", "ending")
	}
	client.Close()
	return err
}

// await opens the store, and waits for it where the servers that make it have not begun, or have one that they will put another in the place of. Nil
// without an error: it was told to end.
func await(path string, log *journal.Log, manager system.Manager, ends <-chan os.Signal) (*shm.Served, error) {
	for {
		store, err := shm.Serve(path)
		if err == nil || !isToCome(err) {
			return store, system.Explained(err, system.ToRead|system.ToWrite)
		}
		log.Notice("await", "there is no store yet to serve: waiting for the server that makes it, one with GOSESS_CACHE=shm:%s?fleet (%v)", path, err)
		manager.Tell("READY=1", "WATCHDOG=1", "STATUS=waiting for "+path)
		select {
		case <-ends:
			return nil, nil
		case <-time.After(lookEvery):
		}
	}
}

// isToCome reports whether a server that begins makes a store where this is the error. One of another version there may be for days, until
// the servers are started again with the version of this agent.
func isToCome(err error) bool {
	for _, passing := range []error{fs.ErrNotExist, shm.ErrEmpty, shm.ErrVersion, shm.ErrDamaged, shm.ErrAlone} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// watch returns when the agent is to end, with an error where it is to be started again.
func watch(store *shm.Served, manager system.Manager, ends <-chan os.Signal) error {
	every, watchdog := lookEvery, manager.Watchdog()
	if watchdog > 0 {
		every = min(every, watchdog)
	}
	for {
		select {
		case <-ends:
			return nil
		case <-time.After(beat.Until(every)):
			if watchdog > 0 {
				manager.Tell("WATCHDOG=1")
			}
			if !store.IsStill() || store.Check() != nil {
				return errReplaced
			}
		}
	}
}
