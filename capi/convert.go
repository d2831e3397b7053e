package main

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"slices"
	"sync"
	"unsafe"

	"gosess/sessioncache"
)

// The slices made here lie over C memory that is valid for the call; nothing keeps them.

func mappingOf(start *C.gosess_const_start) []byte {
	return unsafe.Slice((*byte)(start.mapping), int(start.mapping_size))
}

func keysOf(start *C.gosess_const_start) [][]byte {
	all := unsafe.Slice((*byte)(unsafe.Pointer(start.keys)), int(start.key_count)*sessioncache.KeySize)
	return slices.Collect(slices.Chunk(all, sessioncache.KeySize))
}

func contextOf(origin *C.struct_gosess_origin) [C.GOSESS_DIGEST_SIZE]byte {
	return *(*[C.GOSESS_DIGEST_SIZE]byte)(unsafe.Pointer(origin.context))
}

func originOf(origin *C.struct_gosess_origin) sessioncache.Origin {
	return sessioncache.Origin{
		Context:    contextOf(origin),
		ServerName: unsafe.String((*byte)(unsafe.Pointer(origin.server_name)), int(origin.server_name_length)),
	}
}

func bytesOf(data *C.gosess_const_uchar, length C.int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(data)), int(max(length, 0)))
}

func sessionOf(record *C.struct_gosess_record) sessioncache.Session {
	return sessioncache.Session{
		ID:      bytesOf(record.id, C.int(record.id_length)),
		DER:     unsafe.Slice((*byte)(unsafe.Pointer(record.der)), int(record.der_length)),
		Expires: int64(record.expires),
	}
}

// buffers holds the plain sessions on their way to libssl, zeroed between uses.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 512)
	return &b
}}

func wipe(buffer *[]byte) {
	b := *buffer
	clear(b[:cap(b)])
	buffers.Put(buffer)
}

func decode(ssl *C.SSL, der []byte, id *C.gosess_const_uchar, length C.int, expires int64) *C.SSL_SESSION {
	return C.gosess_session_decode(ssl, (*C.uchar)(unsafe.SliceData(der)), C.size_t(len(der)), id, length, C.int64_t(expires))
}

func sameSession(session *C.SSL_SESSION, der []byte) bool {
	return bool(C.gosess_same_session(session, (*C.uchar)(unsafe.SliceData(der)), C.size_t(len(der))))
}

func cString(s string) (text *C.char, free func()) {
	text = C.CString(s)
	return text, func() { C.free(unsafe.Pointer(text)) }
}
