/* outcome.c - what a call did besides what it returned. */
#include <stdlib.h>

#include "glue.h"

static const struct gosess_start *start;
static _Thread_local struct gosess_outcome own;      /* of this thread's call */
static _Thread_local struct gosess_outcome *outcome; /* of whoever has this thread work */

struct crossing {
    void (*work)(void *);
    void *argument;
    struct gosess_outcome *outcome;
};

void gosess_outcome_start(const struct gosess_start *given)
{
    start = given;
}

static void cross(void *argument)
{
    struct crossing *crossing = argument;
    outcome = crossing->outcome;
    crossing->work(crossing->argument);
}

void gosess_in_go(void (*work)(void *), void *argument)
{
    start->in_go(cross, &(struct crossing){work, argument, &own});
}

/*
 * Where there is no memory for the note, the reference is lost: this is in Go, where to free it may
 * call functions of the host, and the host may still know it, as no remove callback is called.
 */
static void leave(SSL_SESSION *session, bool silent)
{
    struct gosess_leaving *note = malloc(sizeof(*note));
    if (!note)
        return;
    *note = (struct gosess_leaving){.session = session, .silent = silent};
    if (outcome->leaving)
        outcome->last->next = note;
    else
        outcome->leaving = note;
    outcome->last = note;
}

void gosess_outcome_leaving(SSL_SESSION *session, bool evicted)
{
    leave(session, false);
    outcome->evicted += evicted;
}

void gosess_outcome_unused(SSL_SESSION *session)
{
    leave(session, true);
}

void gosess_outcome_removed(SSL_SESSION *was)
{
    outcome->removed = true;
    outcome->was = was ? was : outcome->was;
}

void gosess_outcome_taken(void)
{
    own.taken = true;
}

struct gosess_outcome gosess_outcome_take(void)
{
    struct gosess_outcome taken = own;
    own = (struct gosess_outcome){0};
    return taken;
}
