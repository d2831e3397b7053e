/*
 * ask.c - the worker's half of a request to the agent: docs/fleet-format.md.
 *
 * Each change of the word of a slot is a compare-and-swap of all of it, so a worker that is held up
 * anywhere here, or is killed, changes nothing that is another's by then. The same holds for a
 * child that a signal handler forks: it goes on here beside its parent, and one of them has the
 * slot.
 */
#define _GNU_SOURCE
#include "ask.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../base/io.h"
#include "window.h"

#define SECOND 1000000000
#define PLACES 16 /* slots that are tried */
#define STEP 17   /* from one to the next, none of which is tried twice */
#define SWAPS 16  /* of one word, which another changes meanwhile */

/* For so long a process is silent at first that has waited too often in vain; twice as long each
 * time, up to a second. An agent that is started anew is there by then. */
#define SILENCE (SECOND / 10)
#define SILENCE_DOUBLED 4

#define GONE (GOSESS_SLOT_STATE + 1) /* no state of a slot: there is none */

/* A note of a miss, sessioncache/window/misses.go. */
#define NOTE_TIMES 0xffffffu
#define NOTE_MAX 60 /* seconds */

_Static_assert(GOSESS_FAR_KEYS <= GOSESS_WINDOW_KEYS, "what is asked for fits");

/* Waits of this process in vain, in a row, and until when it does not wait after too many. */
static _Atomic unsigned vain;
static _Atomic int64_t silent_until;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static void count(struct gosess_window *window, enum gosess_window_counter counter)
{
    atomic_fetch_add_explicit(&window->counters[counter], 1, memory_order_relaxed);
}

/* --- whether to wait --- */

bool gosess_far_is_open(const struct gosess_window *window)
{
    return atomic_load_explicit(&window->gate, memory_order_acquire) & GOSESS_GATE_OPEN;
}

/* A lease of before the machine was started anew may end long after now. */
static bool is_leased(const struct gosess_window *window, int64_t now)
{
    uint64_t left = atomic_load(&window->lease) - (uint64_t)now;
    return left > 0 && left <= (uint64_t)GOSESS_LEASE_MAX * SECOND;
}

static bool is_missed(const struct gosess_window *window,
                      const uint64_t key[GOSESS_WINDOW_KEY_SIZE / sizeof(uint64_t)], int64_t now)
{
    unsigned char half[sizeof(uint64_t)];
    uint64_t number = 0;
    memcpy(half, &key[1], sizeof half);
    for (size_t i = sizeof half; i-- > 0;)
        number = number << 8 | half[i];
    uint64_t note =
        atomic_load_explicit(&window->misses[number % GOSESS_WINDOW_MISSES], memory_order_relaxed);
    uint64_t left = (note - (uint64_t)(now / SECOND)) & NOTE_TIMES;
    return (note ^ number) <= NOTE_TIMES && left > 0 && left <= NOTE_MAX;
}

/* A failure of the agent's is no news of the key. */
static bool are_missed(const struct gosess_window *window, const struct gosess_far *far,
                       int64_t now)
{
    for (unsigned i = 0; i < far->count; i++) {
        uint64_t key[GOSESS_WINDOW_KEY_SIZE / sizeof(uint64_t)];
        memcpy(key, far->keys[i], sizeof key);
        if (!is_missed(window, key, now))
            return false;
    }
    return true;
}

/* --- what a wait has shown --- */

/* Somebody has answered: the process waits again. */
static void answered(void)
{
    atomic_store_explicit(&vain, 0, memory_order_relaxed);
}

/*
 * Nobody has. The shared strikes close the gate for all; but whoever can write to the window can
 * open it again and again, so each process has a measure of its own.
 */
static void unanswered(struct gosess_window *window, int64_t now)
{
    unsigned waits = atomic_fetch_add(&vain, 1) + 1;
    count(window, GOSESS_WINDOW_TIMEOUTS);
    if (waits >= GOSESS_STRIKES_MAX) {
        unsigned more = waits - GOSESS_STRIKES_MAX;
        int64_t silence = more < SILENCE_DOUBLED ? (int64_t)SILENCE << more : SECOND;
        atomic_store(&silent_until, now + silence);
    }
    if (atomic_fetch_add(&window->strikes, 1) + 1 < GOSESS_STRIKES_MAX)
        return;
    uint32_t gate = atomic_load(&window->gate);
    if (gate & GOSESS_GATE_OPEN)
        atomic_compare_exchange_strong(&window->gate, &gate, ((gate >> 1) + 1) << 1);
}

/* --- a request --- */

static struct gosess_slot *claim(struct gosess_window *window, int64_t now, uint32_t *generation)
{
    unsigned first = (unsigned)(now >> 6);
    for (unsigned i = 0; i < PLACES; i++) {
        struct gosess_slot *slot = &window->slots[(first + i * STEP) % GOSESS_WINDOW_SLOTS];
        uint32_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
        if ((word & GOSESS_SLOT_STATE) == GOSESS_SLOT_FREE &&
            atomic_compare_exchange_strong(&slot->word, &word, word | GOSESS_SLOT_FILLING)) {
            *generation = word;
            return slot;
        }
    }
    count(window, GOSESS_WINDOW_CROWDED);
    return NULL;
}

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 29;
}

/* False where the agent has taken the slot back: this process was stopped. */
static bool post(struct gosess_window *window, struct gosess_slot *slot, uint32_t generation,
                 const struct gosess_far *far)
{
    uint32_t filling = generation | GOSESS_SLOT_FILLING;
    size_t number = (size_t)(slot - window->slots);
    uint32_t what = far->operation | far->count << GOSESS_SLOT_COUNT_SHIFT;
    uint64_t sum = mix(mix(0, generation), what);
    atomic_store_explicit(&slot->what, what, memory_order_relaxed);
    for (unsigned i = 0; i < far->count; i++) {
        uint64_t key[GOSESS_WINDOW_KEY_SIZE / sizeof(uint64_t)];
        memcpy(key, far->keys[i], sizeof key);
        atomic_store_explicit(&slot->keys[i][0], key[0], memory_order_relaxed);
        atomic_store_explicit(&slot->keys[i][1], key[1], memory_order_relaxed);
        sum = mix(mix(sum, key[0]), key[1]);
    }
    atomic_store_explicit(&slot->sum, sum, memory_order_relaxed);
    if (!atomic_compare_exchange_strong(&slot->word, &filling, generation | GOSESS_SLOT_POSTED))
        return false;
    atomic_fetch_or(&window->posted[number / 64], UINT64_C(1) << number % 64);
    atomic_fetch_add(&window->bell, 1);
    if (atomic_load(&window->sleepers))
        syscall(SYS_futex, &window->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
    return true;
}

/* Sleeps while the word is that. False where the kernel does not let it. */
static bool sleep_until(_Atomic uint32_t *word, uint32_t value, int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / SECOND, .tv_nsec = deadline % SECOND};
    return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, &until, NULL,
                   FUTEX_BITSET_MATCH_ANY) == 0 ||
           errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT;
}

/* The window is the end of the store's file, which may have been cut short during a sleep. */
static bool is_gone(const struct gosess_window *window)
{
    return !gosess_readable((const char *)window + GOSESS_WINDOW_SIZE - sizeof(uint64_t));
}

/*
 * Waits for the answer, and frees the slot: the state that it had, FREE where it was robbed, or
 * GONE with the window. Where something writes to the word without an end the slot is left alone.
 */
static uint32_t await(const struct gosess_window *window, struct gosess_slot *slot,
                      uint32_t generation, int64_t deadline)
{
    bool over = false;
    for (int swaps = 0; swaps < SWAPS;) {
        uint32_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
        uint32_t state = word & GOSESS_SLOT_STATE;
        if ((word & ~GOSESS_SLOT_STATE) != generation || state == GOSESS_SLOT_FREE)
            return GOSESS_SLOT_FREE;
        if (now_ns() < deadline && state < GOSESS_SLOT_HIT && !over) {
            over = !sleep_until(&slot->word, word, deadline);
            if (is_gone(window))
                return GONE;
            continue;
        }
        if (atomic_compare_exchange_strong(&slot->word, &word, generation + GOSESS_SLOT_GENERATION))
            return state;
        swaps++;
    }
    return GOSESS_SLOT_TAKEN;
}

static enum gosess_far_answer ask(struct gosess_window *window, const struct gosess_far *far,
                                  int64_t begun, int64_t deadline)
{
    uint32_t generation, state = GOSESS_SLOT_FREE;
    struct gosess_slot *slot = claim(window, begun, &generation);
    if (!slot)
        return GOSESS_FAR_NONE;
    if (post(window, slot, generation, far))
        state = await(window, slot, generation, deadline);
    switch (state) {
    case GONE:
        return GOSESS_FAR_LATE;
    case GOSESS_SLOT_FREE:
        count(window, GOSESS_WINDOW_ROBBED);
        return GOSESS_FAR_LATE;
    case GOSESS_SLOT_HIT:
        answered();
        count(window, GOSESS_WINDOW_HITS);
        return GOSESS_FAR_HIT;
    case GOSESS_SLOT_MISS:
        answered();
        count(window, GOSESS_WINDOW_MISSED);
        return GOSESS_FAR_NONE;
    case GOSESS_SLOT_FAILURE:
        answered();
        count(window, GOSESS_WINDOW_FAILURES);
        return GOSESS_FAR_NONE;
    default:
        unanswered(window, now_ns());
        return GOSESS_FAR_LATE;
    }
}

enum gosess_far_answer gosess_far_ask(struct gosess_window *window, const struct gosess_far *far,
                                      unsigned wait)
{
    int saved = errno, cancel;
    int64_t now = now_ns();
    enum gosess_far_answer answer = GOSESS_FAR_NONE;
    gosess_no_lock_is_held();
    if (wait == 0 || far->count == 0 || far->count > GOSESS_FAR_KEYS ||
        now < atomic_load_explicit(&silent_until, memory_order_relaxed) ||
        !gosess_far_is_open(window) || !is_leased(window, now) || are_missed(window, far, now))
        return answer;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    answer = ask(window, far, now, now + (int64_t)wait * 1000000);
    pthread_setcancelstate(cancel, NULL);
    errno = saved;
    return answer;
}
