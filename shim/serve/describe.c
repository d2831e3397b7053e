/*
 * describe.c - what an operator is told of a context when it is first served.
 *
 * Why nothing is resumed after a reload is otherwise seen by nobody: a server whose tickets end
 * with it works, and is slow. So each context says at info what it does, and what would change
 * that.
 */
#define _GNU_SOURCE
#include "describe.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "../config/environment.h"
#include "../ssl/digest.h"
#include "../ssl/libssl.h"
#include "label.h"
#include "theirs.h"
#include "tier.h"

#define TEXT_SIZE 300

/* Where sessions are kept that are found by their id. */
static void say_sessions(struct gosess_context *context, char *text, size_t size)
{
    const struct gosess_url *url = &context->cache->url;
    long mode = atomic_load(&context->mode);
    bool live = url->scheme->live;
    if (!gosess_serves(context))
        snprintf(text, size, "no session is kept, as the server has its session cache off");
    else if (live && (mode & SSL_SESS_CACHE_NO_INTERNAL_STORE))
        snprintf(text, size, "no session is kept, as the server forbids libssl's cache");
    else if (live)
        snprintf(text, size, "sessions are kept by each process for itself");
    else if ((mode & SSL_SESS_CACHE_NO_INTERNAL_LOOKUP) && !gosess_is_tier(context))
        snprintf(text, size, "the server's own cache has the last word on sessions");
    else
        snprintf(text, size, "sessions are kept in shm:%.200s, and found by their ids%s", url->path,
                 *url->path ? "" : " until the server ends");
}

/* What becomes of early data, with stateless tickets. NULL: none is accepted. */
static const char *of_early_data(const struct gosess_context *context, uint64_t options)
{
    long most = (long)gosess_ssl->SSL_CTX_get_max_early_data(context->ctx);
    if (most == 0)
        return NULL;
    if (!(options & SSL_OP_NO_ANTI_REPLAY))
        return "tickets of TLS 1.3 are stateful, as early data is accepted: each is used once";
    return gosess_tickets_shared
               ? "tickets of TLS 1.3 are sealed as without gosess, as early data is accepted: it "
                 "could be replayed at every process that has their keys"
               : NULL;
}

static void say_tickets(const struct gosess_context *context, char *text, size_t size)
{
    uint64_t options = (uint64_t)gosess_ssl->SSL_CTX_get_options(context->ctx);
    const char *early = of_early_data(context, options);
    if (options & SSL_OP_NO_TICKET)
        snprintf(text, size, "tickets of TLS 1.3 are stateful, and are kept with them");
    else if (early)
        snprintf(text, size, "%s", early);
    else if (gosess_tickets_shared && !atomic_load(&context->tickets.ours))
        snprintf(text, size, "tickets are sealed as without gosess, which has not seen all of it");
    else if (gosess_ticket_has_theirs(context) && !gosess_tickets_override)
        snprintf(text, size,
                 "tickets are stateless and under the server's own keys: "
                 "GOSESS_TICKETS=shared,override seals them under those of gosess");
    else if (gosess_tickets_shared)
        snprintf(text, size, "tickets are stateless, under keys of gosess that change every %d m",
                 (int)(gosess_ticket_period / 60));
    else
        snprintf(text, size,
                 "tickets are stateless and under this process's own keys, so a reload ends them: "
                 "GOSESS_TICKETS=shared keeps them");
}

void gosess_describe(struct gosess_context *context, struct gosess_context *shown)
{
    if (!gosess_logs(GOSESS_LOG_INFO) || !context->cache || atomic_load(&context->described))
        return;
    if (!gosess_ssl->SSL_CTX_get0_certificate(shown->ctx) ||
        atomic_exchange(&context->described, true))
        return; /* a client's have no certificate */
    char sessions[TEXT_SIZE], fleet[GOSESS_FLEET_TEXT_SIZE], tickets[TEXT_SIZE];
    gosess_label(shown);
    const char *label = shown->owner.label;
    int length = (int)strnlen(label, sizeof shown->owner.label);
    say_sessions(context, sessions, sizeof sessions);
    gosess_url_fleet_text(&context->cache->url, fleet);
    say_tickets(context, tickets, sizeof tickets);
    uint64_t sum = gosess_fnv(GOSESS_FNV_START, label, (size_t)length);
    sum = gosess_fnv(sum, sessions, strlen(sessions));
    sum = gosess_fnv(sum, tickets, strlen(tickets));
    gosess_log_once(GOSESS_LOG_INFO, sum, "context %.*s: %s%s; %s", length, label, sessions, fleet,
                    tickets);
}
