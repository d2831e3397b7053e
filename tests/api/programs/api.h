/* api.h - what the programs that call the C API share. */
#ifndef GOSESS_TESTS_API_H
#define GOSESS_TESTS_API_H

#include <stdlib.h>
#include <string.h>

#include <gosess.h>

#include "../../c/lib/tls.h"

#define RESUMED(outcome) (strcmp(outcome, "resumed") == 0)
#define FULL(outcome) (strcmp(outcome, "full") == 0)

/* A cache of the URL that the environment names: memory: or shm:. */
static inline gosess_cache *new_cache(void)
{
    gosess_cache *cache = NULL;
    char error[GOSESS_ERROR_SIZE];
    const char *url = getenv("CACHE");
    MUST(url && gosess_cache_open(url, &cache, error, sizeof error) == GOSESS_OK);
    MUST(cache && *error == '\0');
    return cache;
}

static inline int is_memory(void)
{
    return strncmp(getenv("CACHE"), "memory:", 7) == 0;
}

/* A server's context with that cache. */
static inline SSL_CTX *new_served(gosess_cache *cache)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_num_tickets(ctx, 1);
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    return ctx;
}

static inline struct gosess_stats stats_of(gosess_cache *cache)
{
    struct gosess_stats stats = {.size = sizeof stats};
    MUST(gosess_cache_stats(cache, &stats) == GOSESS_OK && stats.size == sizeof stats);
    return stats;
}

#endif
