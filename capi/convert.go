package main

// #include "glue.h"
import "C"

import (
	"slices"
	"unsafe"

	"gosess/sessioncache"
)

// The slices and strings made here lie over C memory that is valid for the call; nothing
// keeps them.

func mappingOf(source *C.gosess_const_source) []byte {
	return unsafe.Slice((*byte)(source.mapping), int(source.size))
}

func keysOf(source *C.gosess_const_source) [][]byte {
	all := unsafe.Slice((*byte)(unsafe.Pointer(source.keys)), int(source.key_count)*sessioncache.KeySize)
	return slices.Collect(slices.Chunk(all, sessioncache.KeySize))
}

func textOf(text *C.char, length C.size_t) string {
	return unsafe.String((*byte)(unsafe.Pointer(text)), int(length))
}

func bytesOf(data *C.gosess_const_uchar, length C.int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(data)), int(max(length, 0)))
}

func digestOf(digest *[C.GOSESS_DIGEST_SIZE]C.uchar) [C.GOSESS_DIGEST_SIZE]byte {
	return *(*[C.GOSESS_DIGEST_SIZE]byte)(unsafe.Pointer(digest))
}

func ownerOf(context *C.struct_gosess_context) [C.GOSESS_DIGEST_SIZE]byte {
	return digestOf(&context.owner)
}

func serverNameOf(scope *C.struct_gosess_scope) string {
	return textOf(scope.server_name, scope.server_name_length)
}

func originOf(scope *C.struct_gosess_scope) sessioncache.Origin {
	return sessioncache.Origin{
		Owner:      ownerOf(scope.context),
		Terms:      digestOf(&scope.terms),
		ServerName: serverNameOf(scope),
	}
}

// configurationOf is what server names lead to: that of the context, where the connection arrived, and
// of no earlier generation.
func configurationOf(scope *C.struct_gosess_scope) [C.GOSESS_DIGEST_SIZE]byte {
	owner := ownerOf(scope.context)
	for i := range 4 {
		owner[i] ^= byte(scope.generation >> (8 * i))
	}
	for i := range 8 {
		owner[8+i] ^= byte(scope.place >> (8 * i))
	}
	return owner
}

// askedOf knows no terms where the host may still switch to another context.
func askedOf(scope *C.struct_gosess_scope) sessioncache.Asked {
	asked := sessioncache.Asked{
		ServerName: serverNameOf(scope),
		AnyName:    bool(scope.any_name),
		Own:        uint64(scope.own),
		Demands:    bool(scope.demands),
		Generation: uint32(scope.generation),
		Late:       bool(scope.routed),
	}
	if scope.known {
		asked.Terms = digestOf(&scope.terms)
	}
	return asked
}

func setTerms(scope *C.struct_gosess_scope, terms [C.GOSESS_DIGEST_SIZE]byte) {
	*(*[C.GOSESS_DIGEST_SIZE]byte)(unsafe.Pointer(&scope.terms)) = terms
}

func countsOf(s sessioncache.Stats) C.struct_gosess_counts {
	return C.struct_gosess_counts{
		hits:      C.uint64_t(s.Total.Hits),
		misses:    C.uint64_t(s.Total.Misses),
		stores:    C.uint64_t(s.Total.Stores),
		evictions: C.uint64_t(s.Total.Evictions),
		expiries:  C.uint64_t(s.Total.Expiries),
		removals:  C.uint64_t(s.Total.Removals),
		too_big:   C.uint64_t(s.Total.TooBig),
		errors:    C.uint64_t(s.Total.Errors),
		entries:   C.uint64_t(s.Entries),
		used:      C.uint64_t(s.Used),
		capacity:  C.uint64_t(s.Capacity),
	}
}

// An object is the address of an SSL_SESSION, of which Go never follows it.

func objectOf(session *C.SSL_SESSION) sessioncache.Object {
	return sessioncache.Object(unsafe.Pointer(session))
}

func sessionOf(object sessioncache.Object) *C.SSL_SESSION {
	return (*C.SSL_SESSION)(*(*unsafe.Pointer)(unsafe.Pointer(&object)))
}

func ref(object sessioncache.Object) { C.gosess_ref(sessionOf(object)) }

// unused has references freed when Go is left: that may call functions of the host.
func unused(objects []sessioncache.Object) {
	for _, object := range objects {
		C.gosess_outcome_unused(sessionOf(object))
	}
}

// roomOf is the room for the DER of a lookup.
func roomOf(lookup *C.struct_gosess_lookup) []byte {
	return unsafe.Slice((*byte)(lookup.der), C.GOSESS_ORDINARY_DER)[:0]
}

// hand leaves DER to the lookup, which lies in the room that it had or else is copied, where there
// is memory for that.
func hand(lookup *C.struct_gosess_lookup, der []byte) {
	if len(der) > C.GOSESS_ORDINARY_DER {
		large := C.gosess_allocate(C.size_t(len(der)))
		if large == nil {
			clear(der)
			return
		}
		copy(unsafe.Slice((*byte)(large), len(der)), der)
		clear(der)
		lookup.der = (*C.uchar)(large)
	}
	lookup.der_length = C.size_t(len(der))
}

func sealOf(lookup *C.struct_gosess_lookup) sessioncache.Seal {
	return *(*sessioncache.Seal)(unsafe.Pointer(&lookup.seal))
}

func setSeal(lookup *C.struct_gosess_lookup, seal sessioncache.Seal) {
	*(*sessioncache.Seal)(unsafe.Pointer(&lookup.seal)) = seal
}

func sameStored(session *C.SSL_SESSION, der []byte) bool {
	return bool(C.gosess_same_stored(session, (*C.uchar)(unsafe.SliceData(der)), C.size_t(len(der))))
}

func leaveOutOfCoreDumps(cache *sessioncache.Cache) {
	C.gosess_leave_out_of_core_dumps(C.uintptr_t(uintptr(unsafe.Pointer(cache))))
}
