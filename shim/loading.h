/*
 * loading.h - what the parts of the C half say to each other that load the Go half and call it.
 *
 *   core.c     loads the Go half, after the last fork
 *   room.c     whether there is room for it
 *   sandbox.c  whether its system calls are allowed
 *   generations.c  whether the host forks a process for each connection
 *   process.c  the interposed functions of libc after which nothing can be loaded
 *   user.c     those that change the user
 *   credentials.c  what threads may do
 *   state.c    what loading changes of the process, and is put back
 */
#ifndef GOSESS_SHIM_LOADING_H
#define GOSESS_SHIM_LOADING_H

#include <linux/capability.h>
#include <sys/types.h>

#include "internal.h"

/* --- core.c --- */

/*
 * Once, before anything else of core.c, and before the host forks its workers. Setup lock. start
 * is copied, and completed when the Go half is loaded.
 */
void gosess_core_prepare(const struct gosess_start *start);

/*
 * Loads the Go half where this process has not yet, and waits for it, for a bounded time.
 * True when it is ready.
 */
bool gosess_core_load(void);

/* Waits for a Go half that is being loaded, for longer than a connection may. */
void gosess_core_wait_longer(void);

/* Whether this process has a Go half that is ready. */
bool gosess_core_ready(void);

/* Whether this process will never have one: it could not be loaded, or a parent has it. */
bool gosess_core_impossible(void);

/* There shall be none from now on. Whether there is none yet. */
bool gosess_core_forbid(void);

/* Has the loaded Go half serve a request. False where this process has no ready one. */
bool gosess_core_ask(struct gosess_request *request);

/* --- room.c --- */

extern const char gosess_no_threads[]; /* what is said where no thread can be started */

/* NULL where there is room for a Go runtime, or what lacks. In the thread that will load it. */
const char *gosess_lack_of_room(void);

/*
 * Whether the memory of this process was limited when it was looked: then the Go half has what it
 * will ever have (sessioncache/heap.go).
 */
bool gosess_room_limited(void);

/* --- sandbox.c --- */

/*
 * Whether a Go runtime may make its system calls here, and gosess its own; a line says which not.
 * Before anything of either. Not with the setup lock.
 */
bool gosess_calls_allowed(void);

/* --- generations.c --- */

/* Before the host forks. Setup lock. */
void gosess_generations_prepare(void);

/* A connection of an attached context is about to be made. */
void gosess_generations_connection(void);

/* This process is about to load the Go half. False: it is one for a single connection. */
bool gosess_generation_begins(void);

/* Whether the host has been found to fork a process for each connection. Cheap. */
bool gosess_generations_over(void);

/* Whether this process has a Go half that is ready; waits for one that is being loaded. */
bool gosess_core_here(void);

/* A thread of the Go half that stays; and whether a thread is one of its own. In any handler. */
pid_t gosess_core_thread(void);
bool gosess_core_owns(pid_t thread);

/* --- process.c --- */

/* Loads the Go half where this process was forked, serves, and is about to drop its rights. */
void gosess_may_become_server(void);

/* --- credentials.c --- */

/* A system call that changes the caller's user or groups; number 0 is none. */
struct gosess_change {
    long number;
    long argument[3];
};

/* When the Go half has been loaded, in its thread. */
void gosess_threads_prepare(void);

/*
 * Begins and ends what one thread at a time does. False where libc alone is to do it: the Go half
 * is not in this process, or its threads cannot be listed.
 */
bool gosess_threads_begin(sigset_t *mask);
void gosess_threads_end(const sigset_t *mask);

/* Whether a change has the same answer in the Go half's threads as here. Begun. */
bool gosess_threads_agree(void);

/* Notes that libc has made it in all of them, with this result, which is returned. Begun. */
int gosess_threads_passed(int result);

/* Makes the change in this thread; and then in all others, as credentials.c says. Begun. */
bool gosess_change_here(const struct gosess_change *change);
bool gosess_change_others(const struct gosess_change *change);

/* --- state.c --- */

/* As the kernel has it: what libc sets has a restorer and a flag for it, and two are hidden. */
struct gosess_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned char mask[8];
};

bool gosess_action_get(int signal, struct gosess_action *action);
bool gosess_action_set(int signal, const struct gosess_action *action);

/*
 * Before the Go half is loaded and after: what that changes of the process is put back. Both in
 * the thread that loads it.
 */
void gosess_state_note(void);
void gosess_state_give_back(void);

#endif
