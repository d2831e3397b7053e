package capi

// #cgo noescape gosess_retain
// #cgo nocallback gosess_retain
// #include "glue.h"
import "C"

import (
	"bytes"
	"slices"
	"unsafe"

	"gosess/sessioncache"
	objects "gosess/sessioncache/live"
)

// request is one operation and its answer.
type request = C.gosess_request

// The slices and strings made here lie over C memory that is valid for the request; nothing
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

func idOf(r *request) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(r.id)), int(r.id_length))
}

func derOf(r *request) []byte {
	return unsafe.Slice((*byte)(r.der), int(r.der_length))
}

func digestOf(digest *[C.GOSESS_DIGEST_SIZE]C.uchar) [C.GOSESS_DIGEST_SIZE]byte {
	return *(*[C.GOSESS_DIGEST_SIZE]byte)(unsafe.Pointer(digest))
}

func ownerOf(owner *C.gosess_const_owner) [C.GOSESS_DIGEST_SIZE]byte {
	return digestOf(&owner.random)
}

// labelOf is written before anything is asked for the context, and then never again.
func labelOf(owner *C.gosess_const_owner) string {
	label := *(*[C.GOSESS_LABEL_SIZE]byte)(unsafe.Pointer(&owner.label))
	end := bytes.IndexByte(label[:], 0)
	if end < 0 {
		end = len(label)
	}
	return string(label[:end])
}

func serverNameOf(scope *C.gosess_const_scope) string {
	return textOf(scope.server_name, scope.server_name_length)
}

func originOf(scope *C.gosess_const_scope) sessioncache.Origin {
	return sessioncache.Origin{
		Owner:      ownerOf(scope.owner),
		Terms:      digestOf(&scope.terms),
		ServerName: serverNameOf(scope),
		Flushed:    int64(scope.flushed),
	}
}

// configurationOf is what server names lead to: that of the context, where the connection arrived, and
// of no earlier generation.
func configurationOf(scope *C.gosess_const_scope) [C.GOSESS_DIGEST_SIZE]byte {
	owner := ownerOf(scope.owner)
	for i := range 4 {
		owner[i] ^= byte(scope.generation >> (8 * i))
	}
	for i := range 8 {
		owner[8+i] ^= byte(scope.place >> (8 * i))
	}
	return owner
}

// askedOf knows no terms where the host may still switch to another context.
func askedOf(scope *C.gosess_const_scope) objects.Asked {
	asked := objects.Asked{
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

func setWatch(to *C.struct_gosess_watch, watch sessioncache.Watch) {
	to.word, to.value = (*C.uint64_t)(watch.Word), C.uint64_t(watch.Value)
	to.clock, to.since, to.span = (*C.uint64_t)(watch.Clock), C.uint64_t(watch.Since), C.uint64_t(watch.Span)
	to.until = C.int64_t(watch.Until)
}

// setStats fills in what comes after the size of the struct, all of which is numbers of 64 bits. What the
// store holds stands between the counters that there were at first and later ones.
func setStats(stats *C.struct_gosess_stats, s sessioncache.Stats) {
	const first = unsafe.Offsetof(stats.entries)/8 - 1
	const held = (unsafe.Offsetof(stats.capacity)-unsafe.Offsetof(stats.entries))/8 + 1
	numbers := (*[len(s.Total) + int(held)]C.uint64_t)(unsafe.Pointer(&stats.hits))
	for c, value := range s.Total {
		if c >= int(first) {
			c += int(held)
		}
		numbers[c] = C.uint64_t(value)
	}
	stats.entries, stats.used, stats.capacity = C.uint64_t(s.Entries), C.uint64_t(s.Used), C.uint64_t(s.Capacity)
}

// An object is the address of an SSL_SESSION, which Go never follows.

func objectOf(session *C.SSL_SESSION) objects.Object {
	return objects.Object(unsafe.Pointer(session))
}

func sessionOf(object objects.Object) *C.SSL_SESSION {
	return (*C.SSL_SESSION)(*(*unsafe.Pointer)(unsafe.Pointer(&object)))
}

func retain(object objects.Object) { C.gosess_retain(sessionOf(object)) }

// unused has references freed when Go is left: that may call functions of the host.
func unused(r *request, objects ...objects.Object) {
	for _, object := range objects {
		C.gosess_leave(r, sessionOf(object), true, false)
	}
}

// roomOf is the room for the DER of what is found, which holds the largest that is stored.
func roomOf(r *request) []byte {
	return unsafe.Slice((*byte)(r.der), C.GOSESS_DER_SIZE)[:0]
}

func sealOf(r *request) *sessioncache.Seal {
	return (*sessioncache.Seal)(unsafe.Pointer(&r.seal))
}

// termsOf are those under which what was found was made.
func termsOf(r *request) *[C.GOSESS_DIGEST_SIZE]byte {
	return (*[C.GOSESS_DIGEST_SIZE]byte)(unsafe.Pointer(&r.terms))
}

func sameObject(r *request, object objects.Object) bool {
	return bool(C.gosess_same_object(r.session, sessionOf(object)))
}

func sameBytes(r *request, der []byte) bool {
	return bool(C.gosess_same_bytes(r.session, (*C.uchar)(unsafe.SliceData(der)), C.size_t(len(der))))
}

func leaveOutOfCoreDumps(cache *sessioncache.Cache) {
	C.gosess_leave_out_of_core_dumps(C.uintptr_t(uintptr(unsafe.Pointer(cache))))
}
