/*
 * core.c - what libgosess-core.so exports: shim.h says what each does.
 *
 * What libssl must be asked is asked here, before and after the one call into Go: a call from Go
 * to C and back costs as much as finding the session.
 */
#include "glue.h"

#include "_cgo_export.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT const unsigned gosess_core_abi = GOSESS_CORE_ABI;

EXPORT int gosess_core_start(const struct gosess_start *start)
{
    return gosess_glue_start(start) ? gosess_go_start() : -1;
}

EXPORT int gosess_core_open(const struct gosess_source *source)
{
    return gosess_go_open(source);
}

EXPORT void gosess_core_close(int cache)
{
    gosess_go_close(cache);
}

EXPORT int gosess_core_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct gosess_record record;
    if (gosess_record_new(ssl, session, &record))
        gosess_go_put(session, &record);
    return 0;
}

EXPORT SSL_SESSION *gosess_core_get_session(SSL *ssl, const unsigned char *id, int length,
                                            int *copy)
{
    struct gosess_lookup lookup;
    if (!gosess_lookup_begin(ssl, id, length, &lookup))
        return NULL;
    SSL_SESSION *found = lookup.claimed ? lookup.claimed : gosess_go_get(&lookup);
    SSL_SESSION *session = gosess_lookup_end(ssl, &lookup, found);
    if (session)
        *copy = 0;
    return session;
}

EXPORT void gosess_core_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct gosess_record record;
    if (gosess_record_of(ctx, session, &record))
        gosess_go_remove(session, &record);
}

EXPORT int gosess_core_add_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct gosess_record record;
    return gosess_record_of(ctx, session, &record) ? gosess_go_put(session, &record) : 0;
}

EXPORT long gosess_core_number(SSL_CTX *ctx)
{
    return gosess_go_number(gosess_context_of(ctx));
}

EXPORT void gosess_core_flush(SSL_CTX *ctx, int64_t before)
{
    gosess_go_flush(gosess_context_of(ctx), before);
}

EXPORT void gosess_core_forget(SSL_CTX *ctx)
{
    gosess_go_forget(gosess_context_of(ctx));
}

EXPORT void gosess_core_clear(int cache)
{
    gosess_go_clear(cache);
}

EXPORT void gosess_core_count(int cache, struct gosess_counts *counts)
{
    gosess_go_count(cache, counts);
}

EXPORT void gosess_core_take_outcome(struct gosess_outcome *outcome)
{
    *outcome = gosess_outcome_take();
}
