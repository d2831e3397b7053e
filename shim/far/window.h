/*
 * window.h - what the servers of a machine and its agent share: docs/fleet-format.md. The agent's
 * half is sessioncache/window, and capi/agree.go compares the two.
 */
#ifndef GOSESS_FAR_WINDOW_H
#define GOSESS_FAR_WINDOW_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define GOSESS_WINDOW_SIZE 1150976
#define GOSESS_WINDOW_SLOTS 256
#define GOSESS_WINDOW_KEYS 7       /* of a request */
#define GOSESS_WINDOW_KEY_SIZE 16  /* bytes */
#define GOSESS_WINDOW_MISSES 8192  /* a power of 2 */
#define GOSESS_WINDOW_NEWS 1048576 /* bytes */

/* The state of a slot, in the lower bits of its word. Answers come last. */
enum gosess_slot_state {
    GOSESS_SLOT_FREE,
    GOSESS_SLOT_FILLING,
    GOSESS_SLOT_POSTED,
    GOSESS_SLOT_TAKEN,
    GOSESS_SLOT_HIT,
    GOSESS_SLOT_MISS,
    GOSESS_SLOT_FAILURE,
};
#define GOSESS_SLOT_STATE 7u
#define GOSESS_SLOT_GENERATION 8u /* one more */
#define GOSESS_SLOT_COUNT_SHIFT 8 /* of what is asked: how many keys */

struct gosess_slot {
    _Atomic uint32_t word; /* futex of the worker: generation and state */
    _Atomic uint32_t what;
    _Atomic uint64_t sum; /* of generation, what is asked and keys */
    _Atomic uint64_t keys[GOSESS_WINDOW_KEYS][GOSESS_WINDOW_KEY_SIZE / sizeof(uint64_t)];
};

enum gosess_window_counter {
    GOSESS_WINDOW_HITS,
    GOSESS_WINDOW_MISSED,
    GOSESS_WINDOW_FAILURES,
    GOSESS_WINDOW_TIMEOUTS,
    GOSESS_WINDOW_CROWDED,
    GOSESS_WINDOW_ROBBED,
    GOSESS_WINDOW_COUNTERS = 9, /* with those of the agent */
};

#define GOSESS_GATE_OPEN 1u
#define GOSESS_LEASE_MAX 11 /* seconds; one that ends later is of another boot */
#define GOSESS_STRIKES_MAX 5

/* In the mapping of the store, behind it. Anything may stand in it. */
struct gosess_window {
    _Atomic uint32_t gate;
    _Atomic uint32_t strikes;
    _Atomic uint64_t lease; /* nanoseconds of CLOCK_MONOTONIC */
    _Alignas(64) unsigned char unused[64];
    _Atomic uint64_t posted[GOSESS_WINDOW_SLOTS / 64];
    _Alignas(64) _Atomic uint32_t bell; /* futex */
    _Atomic uint32_t sleepers;
    _Alignas(64) _Atomic uint64_t tail; /* what follows is the business of the Go half */
    _Alignas(64) uint64_t news_bell;
    _Alignas(64) uint64_t head;
    _Alignas(64) _Atomic uint64_t counters[GOSESS_WINDOW_COUNTERS];
    _Alignas(4096) struct gosess_slot slots[GOSESS_WINDOW_SLOTS];
    _Atomic uint64_t misses[GOSESS_WINDOW_MISSES];
    unsigned char news[GOSESS_WINDOW_NEWS];
};

_Static_assert(sizeof(struct gosess_window) == GOSESS_WINDOW_SIZE, "no member is elsewhere");

/* Where the members are, for the comparison. */
enum gosess_window_at {
    GOSESS_WINDOW_AT_GATE = offsetof(struct gosess_window, gate),
    GOSESS_WINDOW_AT_STRIKES = offsetof(struct gosess_window, strikes),
    GOSESS_WINDOW_AT_LEASE = offsetof(struct gosess_window, lease),
    GOSESS_WINDOW_AT_POSTED = offsetof(struct gosess_window, posted),
    GOSESS_WINDOW_AT_BELL = offsetof(struct gosess_window, bell),
    GOSESS_WINDOW_AT_SLEEPERS = offsetof(struct gosess_window, sleepers),
    GOSESS_WINDOW_AT_COUNTERS = offsetof(struct gosess_window, counters),
    GOSESS_WINDOW_AT_SLOTS = offsetof(struct gosess_window, slots),
    GOSESS_WINDOW_AT_MISSES = offsetof(struct gosess_window, misses),
    GOSESS_WINDOW_AT_NEWS = offsetof(struct gosess_window, news),
    GOSESS_SLOT_AT_WHAT = offsetof(struct gosess_slot, what),
    GOSESS_SLOT_AT_SUM = offsetof(struct gosess_slot, sum),
    GOSESS_SLOT_AT_KEYS = offsetof(struct gosess_slot, keys),
    GOSESS_SLOT_SIZE = sizeof(struct gosess_slot),
};

#endif
