/*
 * context.c - the contexts that gosess serves.
 *
 * libssl holds our three callbacks, and what the host registers, before or after, is kept
 * beside them and called from them. What a callback does is decided when it runs, because
 * hosts go on configuring after they have registered theirs (nginx sets SSL_OP_NO_TICKET
 * last: S, section 4).
 */
#define _GNU_SOURCE
#include "../serve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

static struct gosess_attached *contexts; /* every attached context; with the setup lock */

/* --- contexts --- */

#define CONTAINER(link, member) \
    ((struct gosess_attached *)((uintptr_t)(link)-offsetof(struct gosess_attached, member)))

struct gosess_attached *gosess_attached(const SSL_CTX *ctx)
{
    struct gosess_link *link = gosess_ssl && ctx ? gosess_table_find(GOSESS_KIND_CTX, ctx) : NULL;
    return link ? CONTAINER(link, by_ctx) : NULL;
}

struct gosess_attached *gosess_attached_param(const X509_VERIFY_PARAM *param)
{
    struct gosess_link *link =
        gosess_ssl && param ? gosess_table_find(GOSESS_KIND_PARAM, param) : NULL;
    return link ? CONTAINER(link, by_param) : NULL;
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

/* --- what a host does --- */

static _Atomic uint32_t generation;

void gosess_note_change(void)
{
    atomic_fetch_add(&generation, 1);
}

uint32_t gosess_generation(void)
{
    return atomic_load(&generation);
}

static _Atomic bool session_data;

bool gosess_note_session_data(void)
{
    return !atomic_exchange(&session_data, true);
}

bool gosess_keeps_session_data(void)
{
    return atomic_load(&session_data);
}

/*
 * The contexts that have a shared store, referenced, and how many: an array to be freed; NULL where
 * there is none.
 */
static SSL_CTX **sharing(size_t *count)
{
    SSL_CTX **found = NULL;
    *count = 0;
    gosess_setup_lock();
    size_t room = 0;
    for (struct gosess_attached *context = contexts; context; context = context->after)
        room++;
    found = room ? calloc(room, sizeof(SSL_CTX *)) : NULL;
    for (struct gosess_attached *context = contexts; found && context; context = context->after)
        if (gosess_serves(context) && !gosess_live(context) &&
            gosess_ssl->SSL_CTX_up_ref(context->core.ctx) == 1)
            found[(*count)++] = context->core.ctx;
    gosess_setup_unlock();
    return found;
}

void gosess_keep_object(SSL_SESSION *session)
{
    size_t count = 0;
    SSL_CTX **found = gosess_core_ready() ? sharing(&count) : NULL;
    for (size_t i = 0; i < count; i++) {
        struct gosess_attached *context = gosess_attached(found[i]);
        SSL_SESSION *was = NULL;
        if (context && gosess_drop_session(context, session, &was))
            gosess_add_session(context, session);
        gosess_ssl->SSL_SESSION_free(was);
        gosess_ssl->SSL_CTX_free(found[i]);
    }
    free(found);
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
    if (context->cache && gosess_core_ready())
        gosess_call(context,
                    &(struct gosess_call){.what = GOSESS_CALL_FORGET, .ctx = context->core.ctx});
}

static void free_context(struct gosess_attached *context)
{
    unlist(context);
    gosess_table_remove(&context->by_ctx);
    gosess_table_remove(&context->by_param);
    gosess_policy_free(&context->policy);
    gosess_presented_free(&context->presented);
    gosess_cache_unref(context->cache);
    free(context);
}

/* The end of an SSL_CTX. */
static void end(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)value, (void)data, (void)index, (void)argl, (void)argp;
    struct gosess_attached *context = gosess_attached(parent);
    if (!context)
        return;
    atomic_store(&context->ending, true);
    gosess_forget(context);
    free_context(context);
}

bool gosess_context_prepare(const struct gosess_libssl *table)
{
    return table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, end) >= 0;
}

static struct gosess_attached *make_context(SSL_CTX *ctx)
{
    struct gosess_attached *context = calloc(1, sizeof(*context));
    if (!context)
        return NULL;
    context->core.ctx = ctx;
    /* So few are all or nothing: getrandom(2). Before the host forks its workers. */
    if (getrandom(context->core.owner, sizeof context->core.owner, 0) !=
        sizeof context->core.owner) {
        free(context);
        return NULL;
    }
    atomic_init(&context->mode,
                gosess_ssl->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0, NULL));
    list(context);
    gosess_table_add(&context->by_ctx, GOSESS_KIND_CTX, ctx);
    gosess_table_add(&context->by_param, GOSESS_KIND_PARAM, gosess_ssl->SSL_CTX_get0_param(ctx));
    return context;
}

void gosess_watch(SSL_CTX *ctx, bool own_library)
{
    struct gosess_attached *context = make_context(ctx);
    gosess_note_change();
    if (!context) {
        gosess_fail_memory();
        return;
    }
    context->from_birth = true;
    context->own_library = own_library;
}

void gosess_made_by(SSL_CTX *ctx, const void *caller)
{
    struct gosess_attached *context = gosess_attached(ctx);
    if (context)
        context->lets_serve = gosess_does_not_know((uintptr_t)caller);
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
        return gosess_fail_memory();
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

void gosess_identify(struct gosess_attached *context)
{
    unsigned char unused[GOSESS_DIGEST_SIZE];
    if (!atomic_load(&context->ending))
        gosess_policy_digest(context, false, unused);
}

/*
 * A host that puts data into its tickets and takes them out again keeps TLS 1.3 as it has it: a
 * stateful ticket has none (ProFTPD knows its data connections by them).
 */
void gosess_before_switch(struct gosess_attached *context)
{
    SSL_CTX *ctx = context->core.ctx;
    gosess_identify(context);
    if (!gosess_stateful || !gosess_serves(context) || atomic_load(&context->noted.ticket_data) ||
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
    gosess_before_switch(context);
}

void gosess_after_ssl(SSL *ssl, struct gosess_attached *context)
{
    if (context->cache)
        gosess_connection_make(ssl, context); /* without memory nothing shared is found */
}
