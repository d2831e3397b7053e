/* arguments.c - what the functions refuse, and how they say it. Nothing here shakes hands. */
#include "api.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

static const int statuses[] = {
    GOSESS_OK,         GOSESS_ERROR_ARGUMENT, GOSESS_ERROR_URL,     GOSESS_ERROR_LIBSSL,
    GOSESS_ERROR_CORE, GOSESS_ERROR_MEMORY,   GOSESS_ERROR_CONTEXT, GOSESS_NOT_FOUND};

static void texts(void)
{
    const char *unknown = gosess_strerror(1);
    MUST(unknown && *unknown);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        MUST(statuses[i] == -(int)i && *gosess_strerror(statuses[i]));
        MUST(strcmp(gosess_strerror(statuses[i]), unknown) != 0);
        for (size_t j = 0; j < i; j++)
            MUST(strcmp(gosess_strerror(statuses[i]), gosess_strerror(statuses[j])) != 0);
    }
    MUST(strcmp(gosess_strerror(INT_MIN), unknown) == 0);
    MUST(strcmp(gosess_strerror(-8), unknown) == 0);
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", GOSESS_VERSION_MAJOR, GOSESS_VERSION_MINOR,
             GOSESS_VERSION_PATCH);
    MUST(strcmp(gosess_version(), version) == 0 && strcmp(GOSESS_VERSION, version) == 0);
    say("texts");
}

static void open_refuses(const char *url, const char *says)
{
    static char mark;
    gosess_cache *const untouched = (gosess_cache *)&mark, *cache = untouched;
    char error[GOSESS_ERROR_SIZE] = "before";
    MUST(gosess_cache_open(url, &cache, error, sizeof error) == GOSESS_ERROR_URL);
    MUST(cache == untouched);
    if (!strstr(error, says))
        say("%s: %s", url, error);
    MUST(gosess_cache_open(url, &cache, NULL, 0) == GOSESS_ERROR_URL && cache == untouched);
}

static void urls(void)
{
    open_refuses("", "empty");
    open_refuses(" ", "empty");
    open_refuses("redis://127.0.0.1", "\"redis\"");
    open_refuses("shm", "no scheme");
    open_refuses("memory:/path", "\"/path\"");
    open_refuses("memory:?keys=/etc/keys", "\"keys\"");
    open_refuses("shm:?size=0", "\"0\"");
    open_refuses("shm:?size=64m&size=64m", "repeated");
    open_refuses("shm:relative", "\"relative\"");
    open_refuses("shm:?single-use=tls12", "\"tls12\"");
    open_refuses("shm: memory:", "second URL");
    open_refuses("shm:/dev/null", "/dev/null");
    open_refuses("shm:/nonexistent/store", "/nonexistent/store");
    char *huge = malloc(100001);
    MUST(huge && strcpy(huge, "shm:/"));
    memset(huge + 5, 'x', 99995);
    huge[100000] = '\0';
    open_refuses(huge, "too long");
    free(huge);
    say("urls");
}

static void error_sizes(void)
{
    gosess_cache *cache = NULL;
    char whole[GOSESS_ERROR_SIZE];
    MUST(gosess_cache_open("shm:?sise=64m", &cache, whole, sizeof whole) == GOSESS_ERROR_URL);
    MUST(strstr(whole, "\"sise\"") && strstr(whole, "size, single-use, keys"));
    for (size_t size = 0; size <= strlen(whole) + 2; size++) {
        char cut[GOSESS_ERROR_SIZE];
        memset(cut, '#', sizeof cut);
        MUST(gosess_cache_open("shm:?sise=64m", &cache, cut, size) == GOSESS_ERROR_URL);
        for (size_t i = size; i < sizeof cut; i++)
            MUST(cut[i] == '#');
        size_t length = size <= strlen(whole) ? size - 1 : strlen(whole);
        MUST(size == 0 || (strlen(cut) == length && strncmp(cut, whole, length) == 0));
    }
    say("error sizes");
}

static void nulls(void)
{
    gosess_cache *cache = new_cache(), *none = NULL;
    SSL_CTX *ctx = new_server();
    char error[GOSESS_ERROR_SIZE] = "before";
    MUST(gosess_cache_open(NULL, &none, error, sizeof error) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_cache_open("memory:", NULL, error, sizeof error) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_cache_open("memory:", &none, NULL, 1) == GOSESS_ERROR_ARGUMENT && !none);
    gosess_cache_close(NULL);
    MUST(gosess_cache_attach(NULL, ctx) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_cache_attach(cache, NULL) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_cache_attach(NULL, NULL) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_cache_detach(NULL) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_cache_detach(ctx) == GOSESS_ERROR_CONTEXT);
    MUST(gosess_cache_flush(NULL) == GOSESS_ERROR_ARGUMENT);
    struct gosess_stats stats = {.size = sizeof stats};
    MUST(gosess_cache_stats(NULL, &stats) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_cache_stats(cache, NULL) == GOSESS_ERROR_ARGUMENT);
    stats.size = 0;
    MUST(gosess_cache_stats(cache, &stats) == GOSESS_ERROR_ARGUMENT);
    stats.size = sizeof stats.size - 1;
    MUST(gosess_cache_stats(cache, &stats) == GOSESS_ERROR_ARGUMENT);
    SSL_SESSION *session = SSL_SESSION_new();
    MUST(gosess_remove_session(NULL, session) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_remove_session(ctx, NULL) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_remove_session(ctx, session) == GOSESS_ERROR_CONTEXT);
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(gosess_remove_session(ctx, session) == GOSESS_NOT_FOUND); /* it has no id */
    MUST(gosess_cache_detach(ctx) == GOSESS_OK);
    MUST(gosess_cache_detach(ctx) == GOSESS_ERROR_CONTEXT);
    MUST(gosess_remove_session(ctx, session) == GOSESS_ERROR_CONTEXT);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("nulls");
}

/* Without the Go half: what needs it says so, and libssl has its own cache back. */
static void no_core(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *session = NULL;
    struct gosess_stats stats = {.size = sizeof stats, .hits = 77};
    MUST(gosess_start() == GOSESS_ERROR_CORE);
    MUST(gosess_cache_flush(cache) == GOSESS_ERROR_CORE);
    MUST(gosess_cache_stats(cache, &stats) == GOSESS_ERROR_CORE && stats.hits == 77);
    MUST(FULL(full(ctx, &session, NULL)));
    MUST(gosess_remove_session(ctx, session) == GOSESS_ERROR_CORE);
    MUST(!FULL(again(ctx, session, NULL)));
    MUST(gosess_cache_detach(ctx) == GOSESS_OK);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    MUST(gosess_cache_stats(cache, &stats) == GOSESS_ERROR_ARGUMENT);
    MUST(gosess_cache_flush(cache) == GOSESS_ERROR_ARGUMENT);
    gosess_cache_close(cache);
    say("no core");
}

/* What is wrong with the environment is told to who opens a cache. */
static void bad_environment(void)
{
    gosess_cache *cache = NULL;
    char error[GOSESS_ERROR_SIZE];
    MUST(gosess_cache_open("memory:", &cache, error, sizeof error) == GOSESS_ERROR_URL);
    say("%s", error);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"texts", texts}, {"urls", urls},       {"error-sizes", error_sizes},
        {"nulls", nulls}, {"no-core", no_core}, {"bad-environment", bad_environment},
    };
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
