/* api.c - the functions of include/gosess.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "../base/log.h"
#include "../base/text.h"
#include "../config/environment.h"
#include "../core/load.h"
#include "../ssl/libssl.h"
#include "../ssl/shared.h"
#include "attach.h"
#include "cache.h"
#include "callbacks.h"
#include "context.h"
#include "prepare.h"
#include "sessions.h"

GOSESS_MARK(mark);

GOSESS_EXPORT const char *gosess_version(void)
{
    return GOSESS_VERSION;
}

GOSESS_EXPORT const char *gosess_strerror(int status)
{
    switch (status) {
    case GOSESS_OK:
        return "success";
    case GOSESS_ERROR_ARGUMENT:
        return "an argument is NULL, a closed cache, or a struct without its size";
    case GOSESS_ERROR_URL:
        return "the URL, or what it names, cannot be used";
    case GOSESS_ERROR_LIBSSL:
        return "there is no usable libssl in this process";
    case GOSESS_ERROR_CORE:
        return "libgosess-core.so is missing or cannot start here";
    case GOSESS_ERROR_MEMORY:
        return "out of memory";
    case GOSESS_ERROR_CONTEXT:
        return "the context has no cache";
    case GOSESS_NOT_FOUND:
        return "there is no such session";
    default:
        return "unknown status";
    }
}

GOSESS_EXPORT int gosess_cache_open(const char *url, gosess_cache **cache, char *error,
                                    size_t error_size)
{
    char text[GOSESS_ERROR_SIZE] = "", note[GOSESS_ERROR_SIZE] = "";
    if (error && error_size > 0)
        error[0] = '\0';
    if (!url || !cache || (!error && error_size > 0))
        return GOSESS_ERROR_ARGUMENT;
    struct gosess_cache *made = gosess_cache_make(url, note, text, sizeof(text));
    if (made) {
        if (*note)
            gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG, "%s", note);
        *cache = made;
        return GOSESS_OK;
    }
    if (error_size > 0)
        gosess_fail(error, error_size, "%s", text);
    return GOSESS_ERROR_URL;
}

GOSESS_EXPORT void gosess_cache_close(gosess_cache *cache)
{
    gosess_cache_give_up(cache);
}

GOSESS_EXPORT int gosess_cache_attach(gosess_cache *cache, SSL_CTX *ctx)
{
    struct gosess_cache *opened = ctx ? gosess_cache_opened(cache) : NULL;
    if (!opened)
        return GOSESS_ERROR_ARGUMENT;
    int status = GOSESS_ERROR_LIBSSL;
    if (gosess_prepare(__builtin_return_address(0)))
        status = gosess_shared_memory(ctx)   ? GOSESS_ERROR_CONTEXT
                 : gosess_serve(ctx, opened) ? GOSESS_OK
                                             : GOSESS_ERROR_MEMORY;
    if (status == GOSESS_OK)
        gosess_context_of(ctx)->lets_serve = true;
    gosess_cache_unref(opened);
    return status;
}

GOSESS_EXPORT int gosess_cache_detach(SSL_CTX *ctx)
{
    struct gosess_context *context = gosess_context_of(ctx);
    if (!ctx)
        return GOSESS_ERROR_ARGUMENT;
    if (!context || !context->cache)
        return GOSESS_ERROR_CONTEXT;
    gosess_detach(context);
    return GOSESS_OK;
}

GOSESS_EXPORT int gosess_start(void)
{
    char error[GOSESS_ERROR_SIZE] = "";
    int saved = errno;
    bool prepared = gosess_prepare(__builtin_return_address(0));
    bool configured = prepared && gosess_configure(error, sizeof(error));
    if (!prepared)
        return GOSESS_ERROR_LIBSSL;
    if (!configured)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG, "%s", error);
    bool loaded = configured && gosess_load();
    errno = saved;
    return loaded ? GOSESS_OK : GOSESS_ERROR_CORE;
}

GOSESS_EXPORT int gosess_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    if (!ctx || !session)
        return GOSESS_ERROR_ARGUMENT;
    struct gosess_context *context = gosess_context_of(ctx);
    if (!context || !context->cache)
        return GOSESS_ERROR_CONTEXT;
    if (!gosess_load())
        return GOSESS_ERROR_CORE;
    SSL_SESSION *was;
    bool dropped = gosess_drop_session(context, session, &was);
    gosess_ssl->SSL_SESSION_free(was);
    return dropped ? GOSESS_OK : GOSESS_NOT_FOUND;
}

/* An operation on a whole cache. */
static int ask_cache(gosess_cache *given, struct gosess_request *request)
{
    int saved = errno;
    struct gosess_cache *cache = gosess_cache_opened(given);
    if (!cache)
        return GOSESS_ERROR_ARGUMENT;
    bool loaded = gosess_prepare(__builtin_return_address(0)) && gosess_load();
    request->cache = loaded ? gosess_cache_number(cache) : -1;
    bool done = request->cache > 0 && gosess_core_ask(request);
    if (done)
        gosess_free_leaving(request);
    gosess_cache_unref(cache);
    errno = saved;
    return done ? GOSESS_OK : GOSESS_ERROR_CORE;
}

GOSESS_EXPORT int gosess_cache_flush(gosess_cache *cache)
{
    struct gosess_request clear = {.operation = GOSESS_CLEAR};
    return ask_cache(cache, &clear);
}

GOSESS_EXPORT int gosess_cache_stats(gosess_cache *cache, struct gosess_stats *stats)
{
    struct gosess_stats full = {0};
    struct gosess_request count = {.operation = GOSESS_COUNT, .stats = &full};
    if (!stats || stats->size < sizeof(stats->size))
        return GOSESS_ERROR_ARGUMENT;
    int status = ask_cache(cache, &count);
    if (status != GOSESS_OK)
        return status;
    full.size = stats->size;
    memcpy(stats, &full, stats->size < sizeof(full) ? stats->size : sizeof(full));
    return GOSESS_OK;
}
