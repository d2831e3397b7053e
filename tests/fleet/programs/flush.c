/* flush.c - flush URL: drops all sessions of a cache, as a server of its machine would. */
#include <stdio.h>

#include <gosess.h>

int main(int argc, char **argv)
{
    char text[GOSESS_ERROR_SIZE];
    gosess_cache *cache;
    if (argc != 2 || gosess_cache_open(argv[1], &cache, text, sizeof text) != GOSESS_OK) {
        fprintf(stderr, "flush: %s\n", argc == 2 ? text : "URL is missing");
        return 2;
    }
    int status = gosess_cache_flush(cache);
    if (status != GOSESS_OK)
        fprintf(stderr, "flush: %s\n", gosess_strerror(status));
    gosess_cache_close(cache);
    return status != GOSESS_OK;
}
