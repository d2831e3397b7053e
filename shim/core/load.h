/* load.h - loads the Go half, after the last fork, and calls it. */
#ifndef GOSESS_CORE_LOAD_H
#define GOSESS_CORE_LOAD_H

#include "../../shim.h"

/* One call of the Go half, with its arguments and its answer. */
struct gosess_call {
    enum {
        GOSESS_CALL_OPEN,
        GOSESS_CALL_CLOSE,
        GOSESS_CALL_NEW,
        GOSESS_CALL_GET,
        GOSESS_CALL_RELEASE,
        GOSESS_CALL_REMOVE,
        GOSESS_CALL_ADD,
        GOSESS_CALL_NUMBER,
        GOSESS_CALL_FLUSH,
        GOSESS_CALL_FORGET,
        GOSESS_CALL_CLEAR,
        GOSESS_CALL_COUNT,
    } what;
    SSL *ssl;                         /* get */
    const struct gosess_scope *scope; /* new, get, add */
    struct gosess_given *given;       /* new, get, release */
    bool unproven;                    /* release */
    SSL_CTX *ctx;                     /* remove, number, flush, forget */
    SSL_SESSION *session;             /* new, remove, add: borrowed; get: the answer */
    const unsigned char *id;          /* get */
    int id_length;
    int64_t before;                     /* flush */
    const struct gosess_source *source; /* open */
    int cache;                          /* close, clear, count */
    struct gosess_counts *counts;       /* count */
    long result;                        /* open, add, number */
    struct gosess_outcome outcome;
};

/* Once, before anything else of load.c, and before the host forks its workers. Setup lock. */
void gosess_core_prepare(void);

/*
 * Loads the Go half where this process has not yet, and waits for it, for a bounded time.
 * True when it is ready. start must stay valid.
 */
bool gosess_core_load(const struct gosess_start *start);

/* Waits for a Go half that is being loaded, for longer than a connection may. */
void gosess_core_wait_longer(void);

/* Whether this process has a Go half that is ready. */
bool gosess_core_ready(void);

/* Whether this process will never have one: it could not be loaded, or a parent has it. */
bool gosess_core_impossible(void);

/* There shall be none from now on. Whether there is none yet. */
bool gosess_core_forbid(void);

/* Makes a call of the loaded Go half. False where this process has no ready one. */
bool gosess_core_call(struct gosess_call *call);

/* Whether this process has a Go half that is ready; waits for one that is being loaded. */
bool gosess_core_here(void);

/* A thread of the Go half that stays; and whether a thread is one of its own. In any handler. */
pid_t gosess_core_thread(void);
bool gosess_core_owns(pid_t thread);

#endif
