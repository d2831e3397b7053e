/*
 * changes.c - the interposed functions by which a host changes a session that it has.
 *
 * libssl's cache has the object itself, so what a host changes when the session has been stored is
 * so for the next client that resumes it: it ends earlier, or is another context's. What a shared
 * store has are bytes, which are written again. Objects that are kept live need nothing, and of
 * those that only have the id of what is stored (stored.c) nothing is written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "../core/load.h"
#include "../ssl/libssl.h"
#include "cache.h"
#include "der.h"
#include "stored.h"

/* Whether there may be shared bytes of a session. A process without a Go half has shared none. */
static bool may_be_shared(const SSL_SESSION *session)
{
    return gosess_ssl && session && gosess_core_ready() && gosess_is_stored(session);
}

/* Has every shared store do it: the host does not say of which context its session is. */
static void ask_all(struct gosess_request *change, SSL_SESSION *session)
{
    int saved = errno;
    change->operation = GOSESS_CHANGE;
    change->session = session;
    change->id = gosess_ssl->SSL_SESSION_get_id(session, &change->id_length);
    struct gosess_cache *cache = NULL;
    while (change->id_length > 0 && (cache = gosess_cache_next_shared(cache))) {
        change->cache = gosess_cache_number(cache);
        if (change->cache > 0 && gosess_core_ask(change))
            gosess_free_leaving(change);
    }
    errno = saved;
}

/* The host has changed a session, which ended then. */
static void store_again(SSL_SESSION *session, int64_t ended)
{
    int length = 0;
    struct gosess_request change = {
        .ends = ended,
        .expires = gosess_end_of(session),
        .der = gosess_encode(session, &length), /* NULL: then the bytes go */
    };
    change.der_length = change.der ? (size_t)length : 0;
    ask_all(&change, session);
    gosess_free_der(change.der, length);
}

/* The host is about to change that by which what is stored of a session is known. */
static void withdraw(SSL_SESSION *session)
{
    struct gosess_request change = {.ends = 0};
    ask_all(&change, session);
}

/* Where the session has that already, it is not written again: nginx sets its time often. */
#define INTERPOSE_CHANGE(type, function, parameters, has_it, ...) \
    GOSESS_EXPORT type function parameters                        \
    {                                                             \
        __typeof__(&(function)) next = GOSESS_NEXT(function);     \
        bool shared = may_be_shared(session) && !(has_it);        \
        int64_t ended = shared ? gosess_end_of(session) : 0;      \
        type result = next ? next(__VA_ARGS__) : 0;               \
        if (shared)                                               \
            store_again(session, ended);                          \
        return result;                                            \
    }

static bool has_id_context(const SSL_SESSION *session, const unsigned char *id, unsigned length)
{
    unsigned has_length = 0;
    const unsigned char *has = gosess_ssl->SSL_SESSION_get0_id_context(session, &has_length);
    return has_length == length && (length == 0 || memcmp(has, id, length) == 0);
}

INTERPOSE_CHANGE(long, SSL_SESSION_set_timeout, (SSL_SESSION * session, long timeout),
                 gosess_ssl->SSL_SESSION_get_timeout(session) == timeout, session, timeout)
INTERPOSE_CHANGE(long, SSL_SESSION_set_time, (SSL_SESSION * session, long time),
                 gosess_ssl->SSL_SESSION_get_time(session) == time, session, time)
/* OpenSSL 3.3 and later; the headers that gosess is built with need not have it. */
GOSESS_EXPORT time_t SSL_SESSION_set_time_ex(SSL_SESSION *session, time_t time);
INTERPOSE_CHANGE(time_t, SSL_SESSION_set_time_ex, (SSL_SESSION * session, time_t time),
                 gosess_ssl->SSL_SESSION_get_time(session) == time, session, time)
INTERPOSE_CHANGE(int, SSL_SESSION_set1_id_context,
                 (SSL_SESSION * session, const unsigned char *id, unsigned int length),
                 has_id_context(session, id, length), session, id, length)
INTERPOSE_CHANGE(int, SSL_SESSION_set1_ticket_appdata,
                 (SSL_SESSION * session, const void *data, size_t length), false, session, data,
                 length)
INTERPOSE_CHANGE(int, SSL_SESSION_set1_hostname, (SSL_SESSION * session, const char *name), false,
                 session, name)
INTERPOSE_CHANGE(int, SSL_SESSION_set1_alpn_selected,
                 (SSL_SESSION * session, const unsigned char *alpn, size_t length), false, session,
                 alpn, length)
INTERPOSE_CHANGE(int, SSL_SESSION_set_max_early_data, (SSL_SESSION * session, uint32_t max), false,
                 session, max)
INTERPOSE_CHANGE(int, SSL_SESSION_set_protocol_version, (SSL_SESSION * session, int version), false,
                 session, version)
INTERPOSE_CHANGE(int, SSL_SESSION_set_cipher, (SSL_SESSION * session, const SSL_CIPHER *cipher),
                 false, session, cipher)

/* libssl's cache does not find a session either that has another id than when it was stored. */
GOSESS_EXPORT int SSL_SESSION_set1_id(SSL_SESSION *session, const unsigned char *id,
                                      unsigned int length)
{
    __typeof__(&SSL_SESSION_set1_id) next = GOSESS_NEXT(SSL_SESSION_set1_id);
    if (may_be_shared(session) && !gosess_has_id(session, id, length))
        withdraw(session);
    return next ? next(session, id, length) : 0;
}

GOSESS_EXPORT int SSL_SESSION_set1_master_key(SSL_SESSION *session, const unsigned char *key,
                                              size_t length)
{
    __typeof__(&SSL_SESSION_set1_master_key) next = GOSESS_NEXT(SSL_SESSION_set1_master_key);
    if (may_be_shared(session))
        withdraw(session);
    return next ? next(session, key, length) : 0;
}
