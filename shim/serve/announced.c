/*
 * announced.c - a new session that the host is told of before it is stored.
 *
 * By value, and of the thread: a host may leave its callback with longjmp(3). The session has a
 * reference more until it is stored, so no other one comes to lie at its address.
 */
#define _GNU_SOURCE
#include "announced.h"

static _Thread_local struct gosess_announced announced;

struct gosess_announced gosess_announce(struct gosess_announced next)
{
    struct gosess_announced before = announced;
    announced = next;
    return before;
}

struct gosess_announced *gosess_pending(const struct gosess_context *context)
{
    bool is = announced.session && announced.context == context && !announced.superseded;
    return is ? &announced : NULL;
}
