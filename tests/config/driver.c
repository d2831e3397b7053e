/*
 * driver.c - lets a test call the configuration part of the C half, in a process of its own
 * that may be killed, limited and started twenty times at once. Prints "ok TEXT" or
 * "error TEXT"; store opens also print what they got.
 */
#define _GNU_SOURCE
#include "../../shim/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char error[GOSESS_ERROR_SIZE], note[GOSESS_ERROR_SIZE];

static int fail(void)
{
    printf("error %s\n", error);
    return 1;
}

static int url(const char *text)
{
    struct gosess_url parsed;
    if (!gosess_url_parse(text, &parsed, error, sizeof(error)))
        return fail();
    printf("ok path=%s keys=%s size=%llu\n", parsed.path, parsed.keys,
           (unsigned long long)parsed.size);
    return 0;
}

/* A number that says which keys these are, and nothing about them. */
static unsigned fingerprint(const struct gosess_keys *keys)
{
    unsigned hash = 2166136261u;
    for (unsigned i = 0; i < keys->count; i++) {
        for (size_t j = 0; j < GOSESS_KEY_SIZE; j++)
            hash = (hash ^ keys->key[i][j]) * 16777619u;
    }
    return hash;
}

static int store(const char *text, const char *keys, bool check)
{
    struct gosess_url parsed;
    struct gosess_store opened;
    errno = EPROTO; /* must be kept by what says so */
    if (!gosess_url_parse(text, &parsed, error, sizeof(error)))
        return fail();
    if (check && !gosess_store_check(&parsed, keys, note, error, sizeof(error)))
        return fail();
    if (check) {
        printf("ok %s\n", note);
        return 0;
    }
    if (!gosess_store_open(&parsed, keys, &opened, note, error, sizeof(error)))
        return fail();
    /* The last word of the mapping counts the opens: one store for all who open the path. */
    unsigned *last = (unsigned *)((char *)opened.base + opened.size) - 1;
    unsigned opens = __atomic_add_fetch(last, 1, __ATOMIC_SEQ_CST);
    printf("ok size=%llu keys=%u/%08x opens=%u note=%s\n", (unsigned long long)opened.size,
           opened.keys->count, fingerprint(opened.keys), opens, note);
    return 0;
}

/* Ends like a killed process with the name open and the first steps of a creation done. */
static int half(const char *path, const char *steps)
{
    FILE *file = fopen(path, "w");
    if (!file || fchmod(fileno(file), 0600) != 0)
        return 1;
    if (atoi(steps) > 0)
        fputs(GOSESS_SHM_MAGIC, file);
    fflush(file);
    if (atoi(steps) > 1 && ftruncate(fileno(file), 3 << 20) != 0)
        return 1;
    return 0;
}

static int keys(const char *path, bool create)
{
    struct gosess_keys *read = gosess_keys_read(path, create, error, sizeof(error));
    if (!read)
        return fail();
    printf("ok keys=%u/%08x\n", read->count, fingerprint(read));
    gosess_keys_free(read);
    return 0;
}

/* Logs the same line from forked processes, then another cause, then shows that errno stays. */
static int log_lines(const char *spec, const char *processes, const char *text)
{
    if (!gosess_log_open(*spec ? spec : NULL, error, sizeof(error)))
        return fail();
    for (int i = 0; i < atoi(processes); i++) {
        pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid == 0) {
            for (int j = 0; j < 100; j++)
                gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_STORE, "%s", text);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    errno = ENOSPC;
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE, "the core: %m");
    gosess_log(GOSESS_LOG_INFO, GOSESS_CAUSE_STORE, "info");
    gosess_log(GOSESS_LOG_DEBUG, GOSESS_CAUSE_STORE, "debug");
    printf("ok errno=%d\n", errno == ENOSPC);
    return 0;
}

/* DRIVER_FSIZE: the largest file, in bytes; DRIVER_UMASK: octal; DRIVER_USER: a uid. */
static int prepare(void)
{
    const char *value = getenv("DRIVER_FSIZE");
    if (value) {
        struct rlimit limit = {strtoul(value, NULL, 10), RLIM_INFINITY};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            return 1;
    }
    value = getenv("DRIVER_UMASK");
    if (value)
        umask((mode_t)strtoul(value, NULL, 8));
    value = getenv("DRIVER_USER");
    return value && setuid((uid_t)strtoul(value, NULL, 10)) != 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    const char *third = argc > 3 ? argv[3] : "";
    if (prepare() != 0)
        return 3;
    if (strcmp(what, "url") == 0)
        return url(argv[2]);
    if (strcmp(what, "open") == 0)
        return store(argv[2], third, false);
    if (strcmp(what, "check") == 0)
        return store(argv[2], third, true);
    if (strcmp(what, "half") == 0)
        return half(argv[2], third);
    if (strcmp(what, "keys") == 0)
        return keys(argv[2], strcmp(third, "create") == 0);
    if (strcmp(what, "log") == 0)
        return log_lines(argv[2], third, argc > 4 ? argv[4] : "line");
    return 2;
}
