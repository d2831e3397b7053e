package capi

// #include "glue.h"
import "C"

import (
	"unsafe"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/tickets"
	"gosess/sessioncache/window"
)

// What both halves must agree on. Where they do not this does not compile: two arrays of other
// lengths are of other types, and a key that comes twice is an error.

var (
	_ = [C.GOSESS_KEY_SIZE]byte([sessioncache.KeySize]byte{})
	_ = [C.GOSESS_SEAL_SIZE]byte(sessioncache.Seal{})
	_ = [C.GOSESS_DER_SIZE]byte([sessioncache.MaxDER]byte{})
	_ = [C.GOSESS_DIGEST_SIZE]byte(sessioncache.Origin{}.Owner)
	_ = [C.GOSESS_DIGEST_SIZE]byte(sessioncache.Origin{}.Terms)
	_ = [C.GOSESS_SECRET_SIZE]byte([tickets.Size]byte{})
	_ = [C.GOSESS_SHM_ID_SIZE]byte(sessioncache.StoreID{})

	_ = [unsafe.Offsetof(C.struct_gosess_stats{}.hits)]byte([unsafe.Sizeof(uint64(0))]byte{})
	_ = [C.sizeof_struct_gosess_stats]byte([8 * (1 + sessioncache.CounterCount + 3)]byte{}) // size; entries, used, capacity

	_ = [C.GOSESS_LABEL_SIZE]byte([shm.LabelSize]byte{})
	_ = [C.GOSESS_REASONS]byte([sessioncache.KeptAdded - sessioncache.KeptUnknown + 1]byte{})

	_ = [C.GOSESS_SHM_VERSION]byte([shm.Version]byte{})
	_ = [C.GOSESS_SHM_HEADER_SIZE]byte([shm.HeaderSize]byte{})
	_ = [C.GOSESS_SHM_AT_VERSION]byte([shm.VersionAt]byte{})
	_ = [C.GOSESS_SHM_AT_HEADER_SIZE]byte([shm.SizeAt]byte{})
	_ = [C.GOSESS_SHM_AT_SIZE]byte([shm.TotalAt]byte{})
	_ = [C.GOSESS_SHM_AT_CREATED]byte([shm.CreatedAt]byte{})
	_ = [C.GOSESS_SHM_AT_ID]byte([shm.IDAt]byte{})
	_ = [C.GOSESS_SHM_AT_KIND]byte([shm.KindAt]byte{})
	_ = [C.GOSESS_SHM_KIND_FLEET]byte([shm.KindFleet]byte{})
	_ = [C.GOSESS_WINDOW_SIZE]byte([window.Size]byte{})
	_ = [C.GOSESS_SHM_AT_CHECKSUM]byte([shm.SumAt]byte{})

	_ = map[bool]string{false: "the magic of a store differs", C.GOSESS_SHM_MAGIC == shm.Magic: ""}
)
