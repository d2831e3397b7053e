package capi

// #include "glue.h"
import "C"

import (
	"unsafe"

	"gosess/sessioncache"
	"gosess/sessioncache/tickets"
)

// What the near store does not have the far one may. The C half asks for it, outside of Go, where this half
// leaves in the request what to ask for; and then comes again with the request.

// askFar leaves what to ask for: unless the agent was asked already, or may not be.
func askFar(r *request, operation uint32, keys []sessioncache.LookupKey) {
	if r.far == nil || bool(r.far.asked) {
		return
	}
	r.far.operation = C.uint(operation)
	r.far.count = C.uint(copy(farKeys(r), keys))
}

func farKeys(r *request) []sessioncache.LookupKey {
	return (*[C.GOSESS_FAR_KEYS]sessioncache.LookupKey)(unsafe.Pointer(&r.far.keys))[:]
}

// wasAsked reports whether the agent was, and what it has found is near.
func wasAsked(r *request) bool { return r.far != nil && bool(r.far.asked) }

// askFarForSession asks for what another machine may have of a session.
func askFarForSession(r *request, rules *sessioncache.Cache, operation uint32) {
	if r.far == nil {
		return
	}
	var room [C.GOSESS_FAR_KEYS]sessioncache.LookupKey
	askFar(r, operation, rules.Keys(idOf(r), room[:0]))
}

// askFarForSecrets asks for the secrets that this machine would make, and reports whether there are such.
func askFarForSecrets(r *request, rules *sessioncache.Cache) bool {
	if r.far == nil || wasAsked(r) {
		return false
	}
	var room [C.GOSESS_FAR_KEYS]sessioncache.LookupKey
	keys := room[:0]
	for _, name := range tickets.Missing(unhurried, rules, planOf(r)) {
		keys = rules.RecordKeys(name, keys)
	}
	askFar(r, C.GOSESS_FAR_GET_RECORD, keys)
	return r.far.count > 0
}
