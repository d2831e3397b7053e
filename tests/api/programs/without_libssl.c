/* without_libssl.c - a program that has no libssl: it can have a cache, but nothing to serve. */
#include <stdio.h>

#include <gosess.h>

int main(void)
{
    gosess_cache *cache = NULL;
    char error[GOSESS_ERROR_SIZE];
    struct gosess_stats stats = {.size = sizeof stats};
    if (gosess_cache_open("shm:?size=1m", &cache, error, sizeof error) != GOSESS_OK)
        return 1;
    printf("start: %s\n", gosess_strerror(gosess_start()));
    printf("flush: %s\n", gosess_strerror(gosess_cache_flush(cache)));
    printf("stats: %s\n", gosess_strerror(gosess_cache_stats(cache, &stats)));
    gosess_cache_close(cache);
    return 0;
}
