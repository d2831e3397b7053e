/*
 * context.c - the contexts that gosess serves.
 *
 * libssl holds our three callbacks, and what the host registers, before or after, is kept
 * beside them and called from them. What a callback does is decided when it runs, because
 * hosts go on configuring after they have registered theirs (nginx sets SSL_OP_NO_TICKET
 * last: S, section 4).
 */
#define _GNU_SOURCE
#include "serve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

/* Set, with what follows it, before the first context is attached. */
const struct gosess_libssl *_Atomic gosess_ssl;
static int ctx_index, ssl_index; /* ex_data: struct gosess_attached, of SSL_CTX and SSL */
static struct gosess_start start;

static struct gosess_attached *contexts; /* every attached context; with the setup lock */

/* --- contexts --- */

struct gosess_attached *gosess_attached(const SSL_CTX *ctx)
{
    return gosess_ssl && ctx ? gosess_ssl->SSL_CTX_get_ex_data(ctx, ctx_index) : NULL;
}

/* libssl's rule: callbacks, mode and sessions are the first context's (L1). */
struct gosess_attached *gosess_attached_first(const SSL *ssl)
{
    struct gosess_attached *first = gosess_ssl->SSL_get_ex_data(ssl, ssl_index);
    return first ? first : gosess_attached(gosess_ssl->SSL_get_SSL_CTX(ssl));
}

struct gosess_attached *gosess_attached_param(const X509_VERIFY_PARAM *param)
{
    struct gosess_attached *context = contexts;
    while (context && gosess_ssl->SSL_CTX_get0_param(context->core.ctx) != param)
        context = context->after;
    return context;
}

/* From now on the identity stays what it is, unless the host changes what it is made of. */
static struct gosess_context *context_of(struct gosess_attached *context)
{
    struct gosess_identity *identity = context ? atomic_load(&context->identity) : NULL;
    if (!identity)
        return NULL;
    if (!atomic_load(&identity->used))
        atomic_store(&identity->used, true);
    return &context->core;
}

static struct gosess_context *context_of_ctx(const SSL_CTX *ctx)
{
    return context_of(gosess_attached(ctx));
}

static struct gosess_context *context_of_ssl(const SSL *ssl)
{
    return context_of(gosess_attached_first(ssl));
}

/* Where there will be no Go half, libssl has its own cache back. */
static _Atomic bool given_back;

bool gosess_serves(struct gosess_attached *context)
{
    return context && context->cache && !atomic_load(&given_back) &&
           atomic_load(&context->callbacks) &&
           (atomic_load(&context->mode) & SSL_SESS_CACHE_SERVER);
}

bool gosess_live(const struct gosess_attached *context)
{
    return context->cache->url.scheme == GOSESS_SCHEME_MEMORY;
}

/*
 * The mode that libssl is given for the host's. Where gosess serves, libssl keeps no
 * sessions of its own: its copies would hide removals, and its evictions and SSL_CTX_free
 * would remove what other processes still serve, with its lock held (L22, L24, L29, L30).
 */
static long mode_underneath(struct gosess_attached *context)
{
    long mode = atomic_load(&context->mode);
    return gosess_serves(context) ? mode | SSL_SESS_CACHE_NO_INTERNAL : mode;
}

/* With the setup lock, as what follows from whether gosess serves changes together. */
static void put_mode(struct gosess_attached *context)
{
    gosess_ssl->SSL_CTX_ctrl(context->core.ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
                             mode_underneath(context), NULL);
}

long gosess_set_mode(struct gosess_attached *context, long mode)
{
    gosess_setup_lock();
    long before = atomic_exchange(&context->mode, mode);
    put_mode(context);
    gosess_setup_unlock();
    return before;
}

/* --- the Go half --- */

/*
 * What an SSL is made from says nothing of the policy that a server name led to. So sessions
 * that were made under one are found under the same only, as far as it is known at that moment:
 * a host that switches later than libssl looks (nginx) resumes none of a name whose policy is
 * not that of the first context.
 */
static const unsigned char *policy_of_ctx(const SSL_CTX *ctx)
{
    struct gosess_attached *context = gosess_attached(ctx);
    if (!context)
        return NULL;
    gosess_identify(context);
    struct gosess_identity *identity = atomic_load(&context->identity);
    return identity ? identity->policy : context->own; /* out of memory: no other has that */
}

static void log_text(enum gosess_log_level level, enum gosess_log_cause cause, const char *text)
{
    gosess_log(level, cause, "%s", text);
}

bool gosess_load(void)
{
    return gosess_core_load(&start);
}

void gosess_load_if_serving(void)
{
    int saved = errno;
    bool any = false;
    if (gosess_ssl) {
        gosess_setup_lock();
        for (struct gosess_attached *context = contexts; context && !any; context = context->after)
            any = gosess_serves(context);
        gosess_setup_unlock();
    }
    if (any)
        gosess_load();
    errno = saved;
}

/* --- attaching --- */

static void list(struct gosess_attached *context)
{
    gosess_setup_lock();
    context->after = contexts;
    if (contexts)
        contexts->before = context;
    contexts = context;
    gosess_setup_unlock();
}

static void unlist(struct gosess_attached *context)
{
    gosess_setup_lock();
    if (context->before)
        context->before->after = context->after;
    else
        contexts = context->after;
    if (context->after)
        context->after->before = context->before;
    gosess_setup_unlock();
}

void gosess_forget(struct gosess_attached *context)
{
    if (context->cache && gosess_live(context) && gosess_core_ready())
        gosess_call(context,
                    &(struct gosess_call){.what = GOSESS_CALL_FORGET, .ctx = context->core.ctx});
}

static void free_context(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl,
                         void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    struct gosess_attached *context = value;
    if (!context)
        return;
    unlist(context);
    atomic_store(&context->ending, true);
    gosess_forget(context);
    gosess_identity_free(gosess_ssl, context->identities);
    gosess_cache_unref(context->cache);
    free(context);
}

/* SSL_dup copies ex_data from an SSL whose first context may be another than the copy's. */
static int keep_own(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **value, int index,
                    long argl, void *argp)
{
    (void)from, (void)argl, (void)argp;
    /* There is no table where memory ran out after this was registered. */
    *value = gosess_ssl ? gosess_ssl->CRYPTO_get_ex_data(to, index) : NULL;
    return 1;
}

static bool make_indices(const struct gosess_libssl *table)
{
    ctx_index =
        table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, free_context);
    ssl_index = table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL,
                                               (CRYPTO_EX_dup *)keep_own, NULL);
    return ctx_index >= 0 && ssl_index >= 0 && gosess_replay_prepare(table);
}

static bool fail_memory(void)
{
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG,
               "serving a context without a cache: out of memory");
    return false;
}

/* With the setup lock. */
static bool set_libssl(const struct gosess_libssl *found)
{
    static struct gosess_libssl table;
    if (gosess_ssl)
        return true;
    table = *found;
    if (!make_indices(&table))
        return fail_memory();
    gosess_core_prepare();
    start = (struct gosess_start){&table,        context_of_ssl,   context_of_ctx,
                                  policy_of_ctx, gosess_gate_pass, log_text};
    gosess_ssl = &table;
    return true;
}

bool gosess_prepare(const void *caller)
{
    static _Atomic bool lacking;
    struct gosess_libssl found;
    if (gosess_ssl || atomic_load(&lacking) || !gosess_calls_allowed())
        return gosess_ssl;
    const char *missing = gosess_find_libssl(&found, caller);
    if (missing) {
        atomic_store(&lacking, true);
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG,
                   "serving without a cache: the host's libssl has no %s; OpenSSL 1.1.1 or later "
                   "is needed",
                   missing);
        return false;
    }
    gosess_find_all(caller);
    gosess_setup_lock();
    bool set = set_libssl(&found);
    gosess_setup_unlock();
    return set;
}

void gosess_load_ahead(const void *caller)
{
    int saved = errno;
    if (gosess_prepare(caller) && gosess_cache_of_environment())
        gosess_load();
    errno = saved;
}

static struct gosess_attached *make_context(SSL_CTX *ctx)
{
    struct gosess_attached *context = calloc(1, sizeof(*context));
    if (!context)
        return NULL;
    context->core.ctx = ctx;
    /* So few are all or nothing: getrandom(2). Before the host forks its workers. */
    if (getrandom(context->own, sizeof context->own, 0) != sizeof context->own) {
        free(context);
        return NULL;
    }
    atomic_init(&context->mode,
                gosess_ssl->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0, NULL));
    list(context);
    if (gosess_ssl->SSL_CTX_set_ex_data(ctx, ctx_index, context))
        return context;
    free_context(NULL, context, NULL, 0, 0, NULL);
    return NULL;
}

/* What libssl holds of the host's becomes ours to keep. With the setup lock. */
static void put_callbacks(struct gosess_attached *context)
{
    SSL_CTX *ctx = context->core.ctx;
    atomic_store(&context->new_session, gosess_ssl->SSL_CTX_sess_get_new_cb(ctx));
    atomic_store(&context->remove_session, gosess_ssl->SSL_CTX_sess_get_remove_cb(ctx));
    atomic_store(&context->get_session, gosess_ssl->SSL_CTX_sess_get_get_cb(ctx));
    gosess_ssl->SSL_CTX_sess_set_new_cb(ctx, gosess_on_new);
    gosess_ssl->SSL_CTX_sess_set_get_cb(ctx, gosess_on_get);
    gosess_ssl->SSL_CTX_sess_set_remove_cb(ctx, gosess_on_remove);
    atomic_store(&context->callbacks, true);
}

/* A remove callback alone makes libssl keep stateless sessions of TLS 1.3 (L6). Setup lock. */
static void give_callbacks_back(struct gosess_attached *context)
{
    SSL_CTX *ctx = context->core.ctx;
    if (!atomic_exchange(&context->callbacks, false))
        return;
    gosess_ssl->SSL_CTX_sess_set_new_cb(ctx, atomic_load(&context->new_session));
    gosess_ssl->SSL_CTX_sess_set_get_cb(ctx, atomic_load(&context->get_session));
    gosess_ssl->SSL_CTX_sess_set_remove_cb(ctx, atomic_load(&context->remove_session));
}

bool gosess_attach(SSL_CTX *ctx, struct gosess_cache *cache, bool callbacks)
{
    struct gosess_attached *context = gosess_attached(ctx);
    if (!context)
        context = make_context(ctx);
    if (!context)
        return fail_memory();
    gosess_forget(context);
    gosess_setup_lock();
    struct gosess_cache *before = context->cache;
    context->cache = gosess_cache_ref(cache);
    context->core.single_use = cache->url.single_use;
    context->core.live = gosess_live(context);
    if (callbacks && !atomic_load(&context->callbacks) && !atomic_load(&given_back))
        put_callbacks(context);
    put_mode(context);
    gosess_setup_unlock();
    gosess_cache_unref(before);
    return true;
}

void gosess_detach(struct gosess_attached *context)
{
    atomic_store(&context->ending, true); /* its remove callbacks can add nothing */
    gosess_forget(context);
    atomic_store(&context->ending, false);
    gosess_setup_lock();
    struct gosess_cache *before = context->cache;
    context->cache = NULL;
    give_callbacks_back(context);
    put_mode(context);
    gosess_setup_unlock();
    gosess_cache_unref(before);
}

static bool identity_holds(struct gosess_attached *context, struct gosess_identity *identity)
{
    return gosess_identity_holds(gosess_ssl, context->core.ctx, &context->noted, identity);
}

/* What the context was at some time, and is again. With the setup lock. */
static struct gosess_identity *find_identity(struct gosess_attached *context)
{
    struct gosess_identity *found = context->identities;
    while (found && !identity_holds(context, found))
        found = found->before;
    return found;
}

/* NULL: nothing is found or stored. With the setup lock. */
static void put_identity(struct gosess_attached *context, struct gosess_identity *identity)
{
    if (identity)
        __atomic_store_n(&context->core.digest, identity->digest, __ATOMIC_RELEASE);
    atomic_store(&context->identity, identity);
}

/*
 * The identity is worked out when the first SSL is made, because verifying a client adds to the
 * trusted certificates; and again where the host has configured the context otherwise since.
 * All of them are kept: others may still look at what it was, and a host may go back to that.
 */
void gosess_identify(struct gosess_attached *context)
{
    struct gosess_identity *now = atomic_load(&context->identity);
    if (atomic_load(&context->ending) || (now && identity_holds(context, now)))
        return;
    gosess_setup_lock();
    bool known = (now = find_identity(context)) != NULL;
    if (known)
        put_identity(context, now);
    gosess_setup_unlock();
    if (known)
        return;
    struct gosess_identity *made =
        gosess_identity_make(gosess_ssl, context->core.ctx, &context->noted, context->own);
    gosess_setup_lock();
    now = find_identity(context); /* another thread may have been faster */
    if (!now && made) {
        made->before = context->identities;
        context->identities = now = made;
        made = NULL;
    }
    put_identity(context, now);
    gosess_setup_unlock();
    gosess_identity_free(gosess_ssl, made);
}

void gosess_before_switch(struct gosess_attached *context)
{
    SSL_CTX *ctx = context->core.ctx;
    if (!gosess_stateful || !gosess_serves(context) ||
        (gosess_ssl->SSL_CTX_get_options(ctx) & SSL_OP_NO_TICKET))
        return;
    gosess_setup_lock();
    gosess_ssl->SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    gosess_setup_unlock();
}

void gosess_give_back(void)
{
    gosess_setup_lock();
    bool first = !atomic_exchange(&given_back, true);
    for (struct gosess_attached *context = contexts; first && context; context = context->after) {
        give_callbacks_back(context);
        put_mode(context);
    }
    gosess_setup_unlock();
}

/* What waits for the host to have configured its contexts. */
void gosess_before_ssl(struct gosess_attached *context)
{
    gosess_generations_connection();
    if (!atomic_load(&given_back) && gosess_core_impossible()) {
        gosess_load(); /* says why, if nobody has heard yet */
        gosess_give_back();
    }
    if (gosess_serves(context) || (context->cache && !atomic_load(&context->callbacks)))
        gosess_identify(context);
    gosess_before_switch(context);
}

void gosess_after_ssl(SSL *ssl, struct gosess_attached *context)
{
    /* Where this fails, the SSL_CTX is asked. */
    gosess_ssl->SSL_set_ex_data(ssl, ssl_index, context);
}
