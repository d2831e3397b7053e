/*
 * shim.c - the interposed functions of libssl, the contexts that gosess serves, and the
 * callbacks that it registers in them.
 *
 * A context is attached when it is made. libssl then holds our three callbacks, and what
 * the host registers, before or after, is kept beside them and called from them. What a
 * callback does is decided when it runs, because hosts go on configuring after they have
 * registered theirs (nginx sets SSL_OP_NO_TICKET last: S, section 4).
 */
#define _GNU_SOURCE
#include "include/gosess.h"
#include "shim/internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef int (*new_cb)(SSL *, SSL_SESSION *);
typedef void (*remove_cb)(SSL_CTX *, SSL_SESSION *);
typedef SSL_SESSION *(*get_cb)(SSL *, const unsigned char *, int, int *);

/* An attached SSL_CTX. Lives in its ex_data and is freed with it. */
struct attached {
    SSL_CTX *ctx;               /* not a reference */
    _Atomic long mode;          /* the session cache mode, as the host set it */
    _Atomic new_cb new_session; /* the application callbacks; NULL where there is none */
    _Atomic remove_cb remove_session;
    _Atomic get_cb get_session;
    unsigned char digest[GOSESS_DIGEST_SIZE]; /* see struct gosess_start */
    _Atomic bool digested;                    /* digest is there */
    struct attached *before, *after;          /* in contexts; with the setup lock */
};

/* Set, with what follows it, before the first context is attached. */
static const struct gosess_libssl *_Atomic libssl;
static int ctx_index, ssl_index; /* ex_data: struct attached, of SSL_CTX and SSL */
static struct gosess_start start;

static const struct gosess_config *config;

static struct attached *contexts; /* every attached context; with the setup lock */
static _Atomic bool undecided;    /* one is new, or of another mode, since the last SSL_new */

/* --- contexts --- */

static struct attached *of_ctx(const SSL_CTX *ctx)
{
    return libssl && ctx ? libssl->SSL_CTX_get_ex_data(ctx, ctx_index) : NULL;
}

/* libssl's rule: callbacks, mode and sessions are the first context's (L1). */
static struct attached *of_ssl(const SSL *ssl)
{
    struct attached *first = libssl->SSL_get_ex_data(ssl, ssl_index);
    return first ? first : of_ctx(libssl->SSL_get_SSL_CTX(ssl));
}

static const unsigned char *digest(struct attached *context)
{
    return context && atomic_load(&context->digested) ? context->digest : NULL;
}

static const unsigned char *digest_of_ctx(const SSL_CTX *ctx)
{
    return digest(of_ctx(ctx));
}

static const unsigned char *digest_of_ssl(const SSL *ssl)
{
    return digest(of_ssl(ssl));
}

static bool serves(struct attached *context)
{
    return context && (atomic_load(&context->mode) & SSL_SESS_CACHE_SERVER);
}

/*
 * The mode that libssl is given for the host's. Where gosess serves, libssl keeps no
 * sessions of its own: its copies would hide removals, and its evictions and SSL_CTX_free
 * would remove what other processes still serve, with its lock held (L22, L24, L29, L30).
 */
static long mode_underneath(long mode)
{
    return mode & SSL_SESS_CACHE_SERVER ? mode | SSL_SESS_CACHE_NO_INTERNAL : mode;
}

static void free_context(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl,
                         void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    struct attached *context = value;
    if (!context)
        return;
    gosess_setup_lock();
    if (context->before)
        context->before->after = context->after;
    else
        contexts = context->after;
    if (context->after)
        context->after->before = context->before;
    gosess_setup_unlock();
    free(context);
}

static void list_context(struct attached *context)
{
    gosess_setup_lock();
    context->after = contexts;
    if (contexts)
        contexts->before = context;
    contexts = context;
    atomic_store(&undecided, true);
    gosess_setup_unlock();
}

/* --- the Go half --- */

static void log_text(enum gosess_log_level level, enum gosess_log_cause cause, const char *text)
{
    gosess_log(level, cause, "%s", text);
}

static bool load(void)
{
    return gosess_core_load(config->core_path, &start);
}

static bool call(struct gosess_call *call)
{
    int saved = errno;
    bool done = load() && gosess_core_call(call);
    errno = saved;
    return done;
}

void gosess_load_for_workers(void)
{
    int saved = errno;
    bool any = false;
    if (libssl && gosess_forked()) {
        gosess_setup_lock();
        for (struct attached *context = contexts; context && !any; context = context->after)
            any = serves(context);
        gosess_setup_unlock();
    }
    if (any)
        load();
    errno = saved;
}

/* --- the callbacks that libssl calls --- */

/*
 * A stateless TLS 1.3 ticket carries its session; libssl reports it with an id that no
 * client will ever send (L4), and storing it would push the others out (P7).
 */
static bool stateless(const SSL *ssl)
{
    if (libssl->SSL_version(ssl) != TLS1_3_VERSION)
        return false;
    uint64_t options = libssl->SSL_get_options(ssl);
    bool anti_replay =
        libssl->SSL_get_max_early_data(ssl) > 0 && !(options & SSL_OP_NO_ANTI_REPLAY);
    return !(options & SSL_OP_NO_TICKET) && !anti_replay;
}

/*
 * Before: libssl took a reference for the callback. The store keeps bytes, not objects, so
 * that reference is for the application callback to keep (1) or to leave to libssl (0); it
 * is called last because it may rewrite the session (HAProxy: S, section 4).
 */
static int on_new(SSL *ssl, SSL_SESSION *session)
{
    struct attached *context = of_ssl(ssl);
    if (serves(context) && libssl->SSL_is_server(ssl) && !stateless(ssl))
        call(&(struct gosess_call){.what = GOSESS_CALL_NEW, .ssl = ssl, .session = session});
    new_cb application = context ? atomic_load(&context->new_session) : NULL;
    return application ? application(ssl, session) : 0;
}

static SSL_SESSION *get_ours(struct attached *context, SSL *ssl, const unsigned char *id,
                             int length, int *copy)
{
    if (!serves(context))
        return NULL;
    struct gosess_call get = {
        .what = GOSESS_CALL_GET, .ssl = ssl, .id = id, .id_length = length, .copy = *copy};
    if (!call(&get) || !get.session)
        return NULL;
    *copy = get.copy;
    return get.session;
}

static SSL_SESSION *get_theirs(struct attached *context, SSL *ssl, const unsigned char *id,
                               int length, int *copy)
{
    get_cb application = context ? atomic_load(&context->get_session) : NULL;
    *copy = 1; /* libssl's value on entry, which a callback may leave alone (L17) */
    return application ? application(ssl, id, length, copy) : NULL;
}

/*
 * After: with *copy 0 the returned reference is libssl's, with 1 it stays the callback's
 * (L17); each half sets its own. Where the host allows an internal cache, gosess is that
 * cache, and comes first; else it is one more tier behind the host's own.
 */
static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    struct attached *context = of_ssl(ssl);
    bool internal = context && !(atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    SSL_SESSION *session = NULL;
    if (internal)
        session = get_ours(context, ssl, id, length, copy);
    if (!session)
        session = get_theirs(context, ssl, id, length, copy);
    if (!session && !internal)
        session = get_ours(context, ssl, id, length, copy);
    return session;
}

/*
 * SSL_CTX_free of the last reference removes what the application added by
 * SSL_CTX_add_session; that session has not become bad (L28, L29).
 */
static bool being_freed(SSL_CTX *ctx)
{
    if (!libssl->SSL_CTX_up_ref(ctx))
        return true;
    libssl->SSL_CTX_free(ctx); /* not the last: the caller holds one */
    return false;
}

/* The session is borrowed (L19). */
static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct attached *context = of_ctx(ctx);
    if (serves(context) && !being_freed(ctx))
        call(&(struct gosess_call){.what = GOSESS_CALL_REMOVE, .ctx = ctx, .session = session});
    remove_cb application = context ? atomic_load(&context->remove_session) : NULL;
    if (application)
        application(ctx, session);
}

/* --- attaching --- */

static bool make_indices(const struct gosess_libssl *table)
{
    ctx_index =
        table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, free_context);
    ssl_index = table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, NULL);
    start.deadline_index =
        table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, NULL);
    return ctx_index >= 0 && ssl_index >= 0 && start.deadline_index >= 0;
}

/* Opens what GOSESS_CACHE names, and sets libssl; false where there is nothing to serve. */
static bool prepare(const struct gosess_libssl *table)
{
    if (libssl)
        return true;
    config = gosess_config();
    if (!config || !make_indices(table))
        return false;
    start.libssl = table;
    start.mapping = config->store.base;
    start.mapping_size = config->store.size;
    start.keys = (const unsigned char(*)[GOSESS_KEY_SIZE])config->store.keys->key;
    start.key_count = config->store.keys->count;
    start.digest_of_ssl = digest_of_ssl;
    start.digest_of_ctx = digest_of_ctx;
    start.log = log_text;
    libssl = table;
    return true;
}

/* A context that can only be a client's is not touched, and no cache is opened for it. */
static bool client_only(const struct gosess_libssl *table, const SSL_METHOD *method)
{
    return method == table->TLS_client_method() || method == table->DTLS_client_method();
}

static bool can_serve(const SSL_METHOD *method, const void *caller)
{
    gosess_setup_lock();
    const struct gosess_libssl *table = gosess_libssl(caller);
    bool can = table && !client_only(table, method) && prepare(table);
    gosess_setup_unlock();
    return can;
}

/* Once per context: SSL_CTX_new may call SSL_CTX_new_ex, which is interposed too. */
static SSL_CTX *attach(SSL_CTX *ctx, const SSL_METHOD *method, const void *caller)
{
    if (!ctx || !gosess_wanted() || !can_serve(method, caller) || of_ctx(ctx))
        return ctx;
    struct attached *context = calloc(1, sizeof *context);
    if (!context)
        return ctx;
    context->ctx = ctx;
    long mode = libssl->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0, NULL);
    atomic_init(&context->mode, mode);
    list_context(context);
    if (!libssl->SSL_CTX_set_ex_data(ctx, ctx_index, context)) {
        free_context(NULL, context, NULL, 0, 0, NULL);
        return ctx;
    }
    libssl->SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, mode_underneath(mode), NULL);
    libssl->SSL_CTX_sess_set_new_cb(ctx, on_new);
    libssl->SSL_CTX_sess_set_get_cb(ctx, on_get);
    libssl->SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    return ctx;
}

/*
 * What waits for the host to have configured its contexts, before the first SSL is made of
 * them. The digest: verifying a client adds to the trusted certificates. And
 * GOSESS_TICKETS=stateful, on every context and not only on that of this SSL: a host that
 * switches by server name may copy the options of the other context (nginx).
 */
static void decide(void)
{
    if (!atomic_exchange(&undecided, false))
        return;
    gosess_setup_lock();
    for (struct attached *context = contexts; context; context = context->after) {
        if (!serves(context))
            continue;
        if (!atomic_load(&context->digested))
            atomic_store(&context->digested,
                         gosess_identity(libssl, context->ctx, context->digest));
        if (config->stateful)
            libssl->SSL_CTX_set_options(context->ctx, SSL_OP_NO_TICKET);
    }
    gosess_setup_unlock();
}

GOSESS_EXPORT const char *gosess_version(void)
{
    return GOSESS_VERSION;
}

/* --- interposed: libssl --- */

GOSESS_EXPORT SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    __typeof__(&SSL_CTX_new) next = GOSESS_NEXT(SSL_CTX_new);
    return next ? attach(next(method), method, __builtin_return_address(0)) : NULL;
}

GOSESS_EXPORT SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *libctx, const char *propq,
                                      const SSL_METHOD *method)
{
    __typeof__(&SSL_CTX_new_ex) next = GOSESS_NEXT(SSL_CTX_new_ex);
    return next ? attach(next(libctx, propq, method), method, __builtin_return_address(0)) : NULL;
}

GOSESS_EXPORT SSL *SSL_new(SSL_CTX *ctx)
{
    __typeof__(&SSL_new) next = GOSESS_NEXT(SSL_new);
    if (!next)
        return NULL;
    struct attached *context = of_ctx(ctx);
    if (!context)
        return next(ctx);
    decide();
    SSL *ssl = next(ctx);
    if (ssl)
        libssl->SSL_set_ex_data(ssl, ssl_index, context); /* else of_ssl asks the SSL_CTX */
    return ssl;
}

/* Mode and callbacks are set and reported as the host's own, whatever libssl holds. */
GOSESS_EXPORT long SSL_CTX_ctrl(SSL_CTX *ctx, int command, long larg, void *parg)
{
    __typeof__(&SSL_CTX_ctrl) next = GOSESS_NEXT(SSL_CTX_ctrl);
    if (!next)
        return 0;
    struct attached *context = of_ctx(ctx);
    if (context && command == SSL_CTRL_GET_SESS_CACHE_MODE)
        return atomic_load(&context->mode);
    if (context && command == SSL_CTRL_SET_SESS_CACHE_MODE) {
        next(ctx, command, mode_underneath(larg), parg);
        long before = atomic_exchange(&context->mode, larg);
        atomic_store(&undecided, true);
        return before;
    }
    return next(ctx, command, larg, parg);
}

#define INTERPOSE_SETTER(function, type, member)                               \
    GOSESS_EXPORT void function(SSL_CTX *ctx, type callback)                   \
    {                                                                          \
        struct attached *context = of_ctx(ctx);                                \
        __typeof__(&(function)) next = context ? NULL : GOSESS_NEXT(function); \
        if (context)                                                           \
            atomic_store(&context->member, callback);                          \
        else if (next)                                                         \
            next(ctx, callback);                                               \
    }
#define INTERPOSE_GETTER(function, member)                                     \
    {                                                                          \
        struct attached *context = of_ctx(ctx);                                \
        __typeof__(&(function)) next = context ? NULL : GOSESS_NEXT(function); \
        if (context)                                                           \
            return atomic_load(&context->member);                              \
        return next ? next(ctx) : NULL;                                        \
    }

INTERPOSE_SETTER(SSL_CTX_sess_set_new_cb, new_cb, new_session)
INTERPOSE_SETTER(SSL_CTX_sess_set_remove_cb, remove_cb, remove_session)
INTERPOSE_SETTER(SSL_CTX_sess_set_get_cb, get_cb, get_session)

GOSESS_EXPORT int (*SSL_CTX_sess_get_new_cb(SSL_CTX *ctx))(SSL *, SSL_SESSION *)
    INTERPOSE_GETTER(SSL_CTX_sess_get_new_cb, new_session)

        GOSESS_EXPORT void (*SSL_CTX_sess_get_remove_cb(SSL_CTX *ctx))(SSL_CTX *, SSL_SESSION *)
            INTERPOSE_GETTER(SSL_CTX_sess_get_remove_cb, remove_session)

                GOSESS_EXPORT SSL_SESSION *(*SSL_CTX_sess_get_get_cb(SSL_CTX *ctx))(
                    SSL *, const unsigned char *, int,
                    int *)INTERPOSE_GETTER(SSL_CTX_sess_get_get_cb, get_session)
