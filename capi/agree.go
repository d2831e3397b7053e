package capi

// #include "glue.h"
import "C"

import (
	"time"
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
	_ = [C.GOSESS_TICKETS_MADE]byte([sessioncache.TicketsMade]byte{})
	_ = [C.GOSESS_TICKETS_REFUSED]byte([sessioncache.TicketsRefused]byte{})
	_ = [C.GOSESS_TALLIES]byte([len(sessioncache.Tally{})]byte{})
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
	_ = [C.sizeof_struct_gosess_window]byte([window.Size]byte{})
	_ = [C.GOSESS_WINDOW_AT_GATE]byte([window.GateAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_STRIKES]byte([window.StrikesAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_LEASE]byte([window.LeaseAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_POSTED]byte([window.PostedAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_BELL]byte([window.BellAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_SLEEPERS]byte([window.SleepersAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_COUNTERS]byte([window.CountersAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_SLOTS]byte([window.SlotsAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_MISSES]byte([window.MissesAt]byte{})
	_ = [C.GOSESS_WINDOW_AT_NEWS]byte([window.NewsAt]byte{})
	_ = [C.GOSESS_SLOT_AT_WHAT]byte([window.WhatAt]byte{})
	_ = [C.GOSESS_SLOT_AT_SUM]byte([window.SumAt]byte{})
	_ = [C.GOSESS_SLOT_AT_KEYS]byte([window.KeysAt]byte{})
	_ = [C.GOSESS_SLOT_SIZE]byte([window.SlotSize]byte{})
	_ = [C.GOSESS_WINDOW_COUNTERS]byte([window.CounterCount]byte{})
	_ = [C.GOSESS_WINDOW_ROBBED]byte([window.CountRobbed]byte{})
	_ = [C.GOSESS_SLOT_HIT]byte([window.Hit]byte{})
	_ = [C.GOSESS_SLOT_FAILURE]byte([window.Failure]byte{})
	_ = [C.GOSESS_FAR_KEYS]byte([window.MaxKeys]byte{})
	_ = [C.GOSESS_FAR_KEY_SIZE]byte(sessioncache.LookupKey{})
	_ = [C.GOSESS_FAR_TAKE]byte([window.Take]byte{})
	_ = [C.GOSESS_FAR_GET_RECORD]byte([window.GetRecord]byte{})
	_ = [C.GOSESS_STRIKES_MAX]byte([window.MaxStrikes]byte{})
	_ = [C.GOSESS_LEASE_MAX]byte([window.FarthestLease / time.Second]byte{})
	_ = [C.GOSESS_SHM_AT_CHECKSUM]byte([shm.SumAt]byte{})

	_ = map[bool]string{false: "the magic of a store differs", C.GOSESS_SHM_MAGIC == shm.Magic: ""}
)
