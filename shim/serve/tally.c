/* tally.c - counts tickets in the mapping of the store. */
#define _GNU_SOURCE
#include "tally.h"

#include <stdatomic.h>
#include <time.h>

#include "../ssl/libssl.h"
#include "call.h"
#include "label.h"

void gosess_tally_prepare(struct gosess_context *context)
{
    struct gosess_request request = {.operation = GOSESS_COUNTERS};
    struct gosess_tallies *tallies = &context->tallies;
    if (atomic_load(&tallies->known) || !gosess_once_begin(&tallies->asked))
        return;
    gosess_label(context);
    if (gosess_ask(context, &request)) {
        atomic_store(&tallies->process, request.counters.process);
        atomic_store(&tallies->context, request.counters.context);
    }
    atomic_store(&tallies->known, true);
    gosess_once_end(&tallies->asked, true);
}

/*
 * Whether anything can be counted: a thread that writes where a mapping has lost its file gets
 * SIGBUS. The context may have been given back meanwhile.
 */
static bool is_counted(const struct gosess_context *context)
{
    return context->cache && atomic_load(&context->tallies.process) &&
           gosess_cache_whole(context->cache);
}

static void add(uint64_t *counters, unsigned which)
{
    if (counters)
        __atomic_fetch_add(&counters[which], 1, __ATOMIC_RELAXED);
}

static void count(struct gosess_context *context, enum gosess_ticket_counter which)
{
    add(atomic_load(&context->tallies.process), which);
    add(atomic_load(&context->tallies.context), which);
}

static void count_offered(struct gosess_context *first, const SSL *ssl, struct gosess_given *given)
{
    enum gosess_fate fate = given->fate;
    given->fate = GOSESS_FATE_NONE;
    switch (fate) {
    case GOSESS_FATE_NONE:
        break;
    case GOSESS_FATE_OPENED:
        if (gosess_ssl->SSL_session_reused(ssl) != 1) {
            count(first, GOSESS_TICKETS_REFUSED); /* its MAC, or the session, was none for libssl */
            break;
        }
        count(first, GOSESS_TICKETS_ACCEPTED);
        add(gosess_secrets_tally(first->cache->secrets, (int64_t)time(NULL), given->secret),
            GOSESS_TALLY_ACCEPTED);
        break;
    case GOSESS_FATE_REFUSED:
        count(first, GOSESS_TICKETS_REFUSED);
        break;
    case GOSESS_FATE_ENDED:
        count(first, GOSESS_TICKETS_ENDED);
        break;
    case GOSESS_FATE_UNKNOWN:
        count(first, GOSESS_TICKETS_UNKNOWN);
    }
}

void gosess_tally_offered(struct gosess_context *first, const SSL *ssl, struct gosess_given *given)
{
    if (given->fate != GOSESS_FATE_NONE && is_counted(first))
        count_offered(first, ssl, given);
}

void gosess_tally_sealed(struct gosess_context *first, const SSL *ssl, struct gosess_given *given,
                         bool ours, uint64_t *tally)
{
    if ((!ours && given->fate == GOSESS_FATE_NONE) || !is_counted(first))
        return;
    count_offered(first, ssl, given);
    if (!ours)
        return;
    count(first, GOSESS_TICKETS_MADE);
    add(tally, GOSESS_TALLY_MADE);
}
