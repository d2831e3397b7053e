/*
 * core.c - what libgosess-core.so exports: shim.h says what each does.
 *
 * What libssl must be asked is asked here, before and after the one call into Go: a call from Go
 * to C and back costs as much as finding the session. And what makes or frees a session calls
 * functions of the host (CRYPTO_get_ex_new_index(3)), which is not allowed in Go.
 */
#include "glue.h"

#include "_cgo_export.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT const unsigned gosess_core_abi = GOSESS_CORE_ABI;

EXPORT int gosess_core_start(const struct gosess_start *start)
{
    gosess_outcome_start(start);
    gosess_glue_start(start);
    return gosess_go_start();
}

/* --- caches --- */

struct task {
    const struct gosess_source *source;
    int cache;
    struct gosess_context *context;
    int64_t before;
    struct gosess_counts *counts;
    long result;
};

static void open_cache(void *argument)
{
    struct task *task = argument;
    task->result = gosess_go_open(task->source);
}

EXPORT int gosess_core_open(const struct gosess_source *source)
{
    struct task task = {.source = source};
    gosess_in_go(open_cache, &task);
    return (int)task.result;
}

static void close_cache(void *argument)
{
    gosess_go_close(((struct task *)argument)->cache);
}

EXPORT void gosess_core_close(int cache)
{
    gosess_in_go(close_cache, &(struct task){.cache = cache});
}

static void clear(void *argument)
{
    gosess_go_clear(((struct task *)argument)->cache);
}

EXPORT void gosess_core_clear(int cache)
{
    gosess_in_go(clear, &(struct task){.cache = cache});
}

static void count(void *argument)
{
    struct task *task = argument;
    gosess_go_count(task->cache, task->counts);
}

EXPORT void gosess_core_count(int cache, struct gosess_counts *counts)
{
    gosess_in_go(count, &(struct task){.cache = cache, .counts = counts});
}

/* --- contexts --- */

static void number(void *argument)
{
    struct task *task = argument;
    task->result = gosess_go_number(task->context);
}

EXPORT long gosess_core_number(SSL_CTX *ctx)
{
    struct task task = {.context = gosess_context_of(ctx)};
    gosess_in_go(number, &task);
    return task.result;
}

static void flush(void *argument)
{
    struct task *task = argument;
    gosess_go_flush(task->context, task->before);
}

EXPORT void gosess_core_flush(SSL_CTX *ctx, int64_t before)
{
    gosess_in_go(flush, &(struct task){.context = gosess_context_of(ctx), .before = before});
}

static void forget(void *argument)
{
    gosess_go_forget(((struct task *)argument)->context);
}

EXPORT void gosess_core_forget(SSL_CTX *ctx)
{
    gosess_in_go(forget, &(struct task){.context = gosess_context_of(ctx)});
}

/* --- sessions --- */

static void put(void *argument)
{
    struct gosess_record *record = argument;
    record->added = gosess_go_put(record);
}

/* The handshake is over: nothing that it has taken is given out again. */
EXPORT void gosess_core_new_session(SSL_SESSION *session, const struct gosess_scope *scope,
                                    struct gosess_given *given)
{
    struct gosess_record record;
    gosess_claim_forget(given);
    if (!gosess_record_new(session, scope, given, &record))
        return;
    gosess_in_go(put, &record);
    gosess_unref(record.copy); /* where it is not kept */
}

EXPORT void gosess_core_release(struct gosess_given *given, bool unproven)
{
    struct gosess_record record;
    if (unproven && gosess_claim_record(given, &record))
        gosess_in_go(put, &record);
    gosess_claim_forget(given);
}

static void add(void *argument)
{
    struct gosess_record *record = argument;
    record->added = gosess_go_add(record);
}

EXPORT int gosess_core_add_session(SSL_SESSION *session, const struct gosess_scope *scope)
{
    const struct gosess_given nothing = {.ends = 0};
    struct gosess_record record;
    if (!gosess_record_new(session, scope, &nothing, &record))
        return 0;
    gosess_in_go(add, &record);
    return record.added;
}

static void get(void *argument)
{
    gosess_go_get(argument);
}

static void keep(void *argument)
{
    gosess_go_keep(argument);
}

EXPORT SSL_SESSION *gosess_core_get_session(SSL *ssl, const unsigned char *id, int length,
                                            const struct gosess_scope *scope,
                                            struct gosess_given *given)
{
    struct gosess_lookup lookup;
    unsigned char room[GOSESS_ORDINARY_DER];
    gosess_lookup_begin(ssl, id, length, scope, given, &lookup);
    if (!lookup.claimed) {
        lookup.der = room;
        gosess_in_go(get, &lookup);
        if (gosess_lookup_decode(&lookup, room))
            gosess_in_go(keep, &lookup);
        gosess_unref(lookup.copy);
    }
    return gosess_lookup_end(ssl, &lookup, scope, given);
}

static void drop(void *argument)
{
    gosess_go_remove(argument);
}

EXPORT void gosess_core_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct gosess_record record;
    if (gosess_record_of(ctx, session, &record))
        gosess_in_go(drop, &record);
}

EXPORT bool gosess_core_owns_thread(pid_t thread)
{
    return gosess_is_own_thread(thread);
}

EXPORT void gosess_core_make_room(void)
{
    gosess_go_make_room();
}

EXPORT void gosess_core_take_outcome(struct gosess_outcome *outcome)
{
    *outcome = gosess_outcome_take();
}
