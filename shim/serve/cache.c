/* cache.c - caches: what a URL opened, here and in the Go half. */
#define _GNU_SOURCE
#include "cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "../base/locks.h"
#include "../base/log.h"
#include "../base/once.h"
#include "../base/text.h"
#include "../config/environment.h"
#include "../core/load.h"
#include "../core/sandbox.h"
#include "../ssl/libssl.h"

#define TIDY_SECONDS 60

static struct gosess_cache *caches; /* the newest; with the setup lock */
static _Atomic bool opened;         /* there was one */

/* Keeps the keys and the secrets out of the swap; false, and errno, where this process may not. */
static bool lock_all(const struct gosess_cache *cache)
{
    bool locked = !cache->store.keys || gosess_keys_lock(cache->store.keys);
    return gosess_secrets_lock(cache->secrets) && locked;
}

/* Those of all caches in a child: a fork does not inherit that. With the setup lock. */
static void lock_keys(void)
{
    for (struct gosess_cache *cache = caches; cache; cache = cache->next)
        lock_all(cache);
}

static bool open_store(struct gosess_cache *cache, char *note, char *error, size_t error_size)
{
    const char *keys = gosess_environment.keys ? gosess_environment.keys : "";
    note[0] = '\0';
    return cache->url.scheme->live ||
           gosess_store_open(&cache->url, keys, &cache->store, note, error, error_size);
}

struct gosess_cache *gosess_cache_make(const char *url, char *note, char *error, size_t error_size)
{
    struct gosess_cache *cache = calloc(1, sizeof(*cache));
    if (!cache) {
        gosess_fail(error, error_size, "out of memory");
        return NULL;
    }
    if (!gosess_configure(error, error_size) ||
        !gosess_url_parse(url, &cache->url, error, error_size) ||
        !open_store(cache, note, error, error_size)) {
        free(cache);
        return NULL;
    }
    if (gosess_tickets_shared) {
        cache->secrets = gosess_secrets_make();
        cache->routes = gosess_routes_make();
    }
    atomic_init(&cache->references, 1);
    gosess_lock(GOSESS_LOCK_SETUP);
    cache->next = caches;
    caches = cache;
    gosess_locks_in_child(lock_keys);
    gosess_unlock(GOSESS_LOCK_SETUP);
    atomic_store(&opened, true);
    return cache;
}

static struct gosess_cache *make_of_environment(void)
{
    char error[GOSESS_ERROR_SIZE] = "", note[GOSESS_ERROR_SIZE] = "";
    struct gosess_cache *cache =
        gosess_cache_make(gosess_environment.cache, note, error, sizeof(error));
    if (!cache)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG, "serving without a cache: %s", error);
    else if (*note)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG, "%s", note);
    return cache;
}

struct gosess_cache *gosess_cache_of_environment(void)
{
    static struct gosess_once opening = GOSESS_ONCE;
    static struct gosess_cache *_Atomic cache;
    if (gosess_environment.cache && gosess_calls_allowed() && gosess_once_begin(&opening)) {
        cache = make_of_environment();
        gosess_once_end(&opening, true);
    }
    return cache;
}

bool gosess_cache_any(void)
{
    return atomic_load(&opened);
}

struct gosess_cache *gosess_cache_first(void)
{
    struct gosess_cache *first = NULL;
    gosess_lock(GOSESS_LOCK_SETUP);
    for (struct gosess_cache *cache = caches; cache; cache = cache->next)
        first = cache->closed ? first : cache;
    first = first ? gosess_cache_ref(first) : NULL;
    gosess_unlock(GOSESS_LOCK_SETUP);
    return first;
}

struct gosess_cache *gosess_cache_next_shared(struct gosess_cache *after)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    struct gosess_cache *found = after ? after->next : caches; /* it is listed while referenced */
    while (found && found->url.scheme->live)
        found = found->next;
    found = found ? gosess_cache_ref(found) : NULL;
    gosess_unlock(GOSESS_LOCK_SETUP);
    gosess_cache_unref(after);
    return found;
}

struct gosess_cache *gosess_cache_opened(struct gosess_cache *given)
{
    struct gosess_cache *found = NULL;
    gosess_lock(GOSESS_LOCK_SETUP);
    for (struct gosess_cache *cache = caches; cache && !found; cache = cache->next) {
        if (cache == given && !cache->closed)
            found = gosess_cache_ref(cache);
    }
    gosess_unlock(GOSESS_LOCK_SETUP);
    return found;
}

bool gosess_cache_give_up(struct gosess_cache *given)
{
    struct gosess_cache *cache = gosess_cache_opened(given);
    if (!cache)
        return false;
    gosess_lock(GOSESS_LOCK_SETUP);
    bool first = !cache->closed;
    cache->closed = true;
    gosess_unlock(GOSESS_LOCK_SETUP);
    gosess_cache_unref(cache);
    if (first)
        gosess_cache_unref(cache); /* the opener's */
    return first;
}

struct gosess_cache *gosess_cache_ref(struct gosess_cache *cache)
{
    atomic_fetch_add(&cache->references, 1);
    return cache;
}

/* The Go half survives SIGBUS only where the host has left it its handler, and room for it. */
bool gosess_cache_whole(const struct gosess_cache *cache)
{
    if (!cache->store.base || gosess_store_whole(&cache->store))
        return true;
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_STORE,
               "serving without a cache: store %s has been cut short", cache->url.path);
    return false;
}

void gosess_free_leaving(struct gosess_request *request)
{
    while (request->leaving) {
        struct gosess_leaving *first = request->leaving;
        request->leaving = first->next;
        gosess_ssl->SSL_SESSION_free(first->session);
        free(first);
    }
}

static void end(struct gosess_cache *cache)
{
    struct gosess_request close = {.operation = GOSESS_CLOSE, .cache = atomic_load(&cache->number)};
    if (close.cache > 0 && gosess_cache_whole(cache) && gosess_core_ask(&close))
        gosess_free_leaving(&close);
    if (cache->store.base)
        munmap(cache->store.base, (size_t)cache->store.size);
    gosess_keys_free(cache->store.keys);
    gosess_secrets_free(cache->secrets);
    gosess_routes_free(cache->routes);
    free(cache);
}

void gosess_cache_unref(struct gosess_cache *cache)
{
    if (!cache)
        return;
    gosess_lock(GOSESS_LOCK_SETUP);
    bool last = atomic_fetch_sub(&cache->references, 1) == 1;
    for (struct gosess_cache **at = &caches; last && *at; at = &(*at)->next) {
        if (*at == cache) {
            *at = cache->next;
            break;
        }
    }
    gosess_unlock(GOSESS_LOCK_SETUP);
    if (last)
        end(cache);
}

int gosess_cache_number(struct gosess_cache *cache)
{
    int number = atomic_load(&cache->number);
    if (!gosess_cache_whole(cache))
        return -1;
    if (number != 0 || !gosess_core_ready())
        return number != 0 ? number : -1;
    struct gosess_source source = {
        .scheme = cache->url.scheme->name,
        .mapping = cache->store.base,
        .size = cache->store.base ? cache->store.size : cache->url.size,
        .libssl = gosess_ssl->OpenSSL_version_num(),
    };
    if (!lock_all(cache))
        gosess_log(GOSESS_LOG_INFO, GOSESS_CAUSE_CONFIG,
                   "the sealing keys%s may be written to swap: %m (RLIMIT_MEMLOCK)",
                   cache->secrets ? ", or the secrets of tickets," : "");
    if (cache->store.keys) {
        source.keys = (const unsigned char(*)[GOSESS_KEY_SIZE])cache->store.keys->key;
        source.key_count = cache->store.keys->count;
    }
    struct gosess_request open = {.operation = GOSESS_OPEN, .source = &source};
    gosess_lock(GOSESS_LOCK_OPENING);
    if (atomic_load(&cache->number) == 0)
        atomic_store(&cache->number, gosess_core_ask(&open) ? (int)open.result : -1);
    gosess_unlock(GOSESS_LOCK_OPENING);
    return atomic_load(&cache->number);
}

/* With the setup lock. */
static int64_t tidy(struct gosess_cache *cache, int64_t now)
{
    struct gosess_request expire = {.operation = GOSESS_EXPIRE,
                                    .cache = atomic_load(&cache->number)};
    int64_t next = cache->secrets ? gosess_secrets_expire(cache->secrets, now) : 0;
    if (cache->secrets && expire.cache > 0 && gosess_cache_whole(cache) &&
        gosess_core_ask(&expire) && expire.result == 1)
        gosess_secrets_forget(cache->secrets);
    return next;
}

/*
 * Once a minute, as sealing keys may have been given up, and when a secret ends. With the lock a
 * cache that is listed stays: this thread must not have the last reference, whose end would have it
 * free sessions, which may call the host.
 */
int64_t gosess_caches_tidy(void)
{
    int64_t now = (int64_t)time(NULL), seconds = TIDY_SECONDS;
    gosess_lock(GOSESS_LOCK_SETUP);
    for (struct gosess_cache *cache = caches; cache; cache = cache->next) {
        int64_t next = tidy(cache, now);
        if (next > 0 && next + 1 - now < seconds)
            seconds = next + 1 - now;
    }
    gosess_unlock(GOSESS_LOCK_SETUP);
    return seconds;
}
