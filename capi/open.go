package capi

// #include "glue.h"
import "C"

import (
	"fmt"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// openers has one for each kind of store: the schemes of shim/config/url.c.
var openers = map[string]func(*C.gosess_const_source) (*cache, error){
	"memory": openMemory,
	"shm":    openShm,
}

// open makes a cache of a source and returns its number, or -1 after it has logged why not.
func open(r *request) int {
	opened, err := openScheme(C.GoString(r.source.scheme), r.source)
	if err != nil {
		logError(C.GOSESS_CAUSE_STORE, "serving without a cache: open the store", err)
		return -1
	}
	return caches.add(opened)
}

func openScheme(scheme string, source *C.gosess_const_source) (*cache, error) {
	opener := openers[scheme]
	if opener == nil {
		return nil, fmt.Errorf("the Go half has no kind of store %q", scheme)
	}
	return opener(source)
}

func openMemory(source *C.gosess_const_source) (*cache, error) {
	return newLive(int64(source.size)).cache(), nil
}

func openShm(source *C.gosess_const_source) (*cache, error) {
	store, err := shm.Open(mappingOf(source))
	if err != nil {
		return nil, err
	}
	store.Versions(sessioncache.Versions{Gosess: C.GOSESS_VERSION_NUMBER, ABI: C.GOSESS_CORE_ABI, Libssl: uint32(source.libssl)})
	opened, err := openSealed(store, store.Check, source)
	if err != nil {
		return nil, err
	}
	if far := store.Window(); far != nil {
		opened.rules.Tell(far)
		opened.fleet = true
	}
	return opened.cache(), nil
}

// openSealed opens any store that keeps sessions as sealed bytes. check says what has become of it,
// where a session was not found.
func openSealed(store sessioncache.Store, check func() error, source *C.gosess_const_source) (*sealed, error) {
	rules, err := sessioncache.New(store, keysOf(source))
	if err != nil {
		return nil, err
	}
	leaveOutOfCoreDumps(rules)
	return newSealed(store, check, rules, uint64(source.size)), nil
}
