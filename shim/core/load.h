/* load.h - loads the Go half, after the last fork, and calls it. */
#ifndef GOSESS_CORE_LOAD_H
#define GOSESS_CORE_LOAD_H

#include "../../shim.h"

/*
 * Once, before anything else of load.c, and before the host forks its workers. Setup lock. start
 * is copied, and completed when the Go half is loaded.
 */
void gosess_core_prepare(const struct gosess_start *start);

/*
 * Loads the Go half where this process has not yet, and waits for it, for a bounded time.
 * True when it is ready.
 */
bool gosess_load(void);

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

/* Whether this process has a Go half that is ready; waits for one that is being loaded. */
bool gosess_core_here(void);

/* A thread of the Go half that stays; and whether a thread is one of its own. In any handler. */
pid_t gosess_core_thread(void);
bool gosess_core_owns(pid_t thread);

#endif
