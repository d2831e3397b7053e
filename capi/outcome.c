/* outcome.c - what a call did besides what it returned, per thread. */
#include <stdlib.h>

#include "glue.h"

static _Thread_local struct gosess_outcome outcome;
static _Thread_local struct gosess_leaving **end;

/* Where there is no memory for the note, the session is freed without its callback. */
void gosess_outcome_leaving(SSL_SESSION *session, bool evicted)
{
    struct gosess_leaving *last = malloc(sizeof(*last));
    if (!last) {
        gosess_unref(session);
        return;
    }
    *last = (struct gosess_leaving){.session = session};
    if (!outcome.leaving)
        end = &outcome.leaving;
    *end = last;
    end = &last->next;
    outcome.evicted += evicted;
}

void gosess_outcome_removed(SSL_SESSION *was)
{
    outcome.removed = true;
    outcome.was = was;
}

void gosess_outcome_taken(void)
{
    outcome.taken = true;
}

struct gosess_outcome gosess_outcome_take(void)
{
    struct gosess_outcome taken = outcome;
    outcome = (struct gosess_outcome){0};
    return taken;
}
