/*
 * driver.c - lets a test call the configuration part of the C half, in a process of its own
 * that may be killed, limited and started twenty times at once. Prints "ok TEXT" or
 * "error TEXT"; store opens also print what they got.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../../shim.h" /* before a header of libssl */

#include "../../../include/gosess.h"
#include "../../../shim/base/log.h"
#include "../../../shim/base/text.h"
#include "../../../shim/config/dryrun.h"
#include "../../../shim/config/store.h"

/*
 * What changes a file is counted on its way to libc (the linker's --wrap), so that a test
 * can have the process die before the n-th change (DRIVER_DIE=n), or have that fail as on a
 * full disk (DRIVER_FAIL=n).
 */
static int changes;

static bool change_fails(void)
{
    const char *die = getenv("DRIVER_DIE"), *fails = getenv("DRIVER_FAIL");
    changes++;
    if (die && atoi(die) == changes)
        _exit(99);
    errno = ENOSPC;
    return fails && atoi(fails) == changes;
}

#define WRAP(type, name, parameters, arguments, failed)           \
    type __real_##name parameters;                                \
    type __wrap_##name parameters;                                \
    type __wrap_##name parameters                                 \
    {                                                             \
        return change_fails() ? failed : __real_##name arguments; \
    }

WRAP(int, ftruncate, (int fd, off_t size), (fd, size), -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1)

/* DRIVER_RIVAL=FILE: another process gives the name to its own file just before. */
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to)
{
    const char *rival = getenv("DRIVER_RIVAL");
    if (rival && __real_link(rival, to) != 0)
        abort();
    return change_fails() ? -1 : __real_link(from, to);
}

/* A signal comes first, as a busy host's timer does. */
int __real_posix_fallocate(int fd, off_t at, off_t size);
int __wrap_posix_fallocate(int fd, off_t at, off_t size);
int __wrap_posix_fallocate(int fd, off_t at, off_t size)
{
    static int signals;
    if (signals++ < 3)
        return EINTR;
    return change_fails() ? ENOSPC : __real_posix_fallocate(fd, at, size);
}

/* A clock that a test can put forward. */
static time_t ahead;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = __real_clock_gettime(clock, now);
    now->tv_sec += ahead;
    return result;
}

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
    printf("ok path=%s keys=%s size=%llu", parsed.path, parsed.keys,
           (unsigned long long)parsed.size);
    if (parsed.fleet)
        printf(" fleet wait=%u", parsed.wait);
    puts("");
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

static int keys(const char *path, bool create)
{
    struct gosess_keys *read = gosess_keys_read(path, create, error, sizeof(error));
    if (!read)
        return fail();
    printf("ok keys=%u/%08x\n", read->count, fingerprint(read));
    gosess_keys_free(read);
    return 0;
}

/* Logs the same line from forked processes, then of other causes and levels, then a minute
 * later; and shows that errno stays. */
static int log_lines(const char *spec, const char *processes, const char *text)
{
    if (gosess_log_open(*spec ? spec : NULL, error, sizeof(error)) != GOSESS_LOG_OPENED)
        return fail();
    if (getenv("DRIVER_HOST") && write(STDERR_FILENO, "host\n", 5) < 0)
        errno = 0; /* closed, as it may be */
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
    ahead = 61;
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_STORE, "%s", text);
    printf("ok errno %s\n", errno == ENOSPC ? "kept" : "lost");
    return 0;
}

/* What ten processes say is said once, and what differs as well. */
static int log_once(const char *spec)
{
    if (gosess_log_open(*spec ? spec : NULL, error, sizeof(error)) != GOSESS_LOG_OPENED)
        return fail();
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid == 0) {
            for (uint64_t sum = 0; sum < 2000; sum++)
                gosess_log_once(GOSESS_LOG_INFO, sum, "%llu", (unsigned long long)sum);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    errno = ENOSPC;
    gosess_log_once(GOSESS_LOG_INFO, 3, "again");
    printf("ok errno %s\n", errno == ENOSPC ? "kept" : "lost");
    return 0;
}

static int dates(char **seconds)
{
    char text[GOSESS_DATE_SIZE];
    printf("ok");
    for (; *seconds; seconds++) {
        gosess_date_text(strtoll(*seconds, NULL, 10), text);
        printf(" %s", text);
    }
    printf("\n");
    return 0;
}

/* DRIVER_HOST: the host itself writes to stderr. DRIVER_FSIZE: the largest file, in bytes;
 * DRIVER_UMASK: octal; DRIVER_USER: a uid. */
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
    if (strcmp(what, "keys") == 0)
        return keys(argv[2], strcmp(third, "create") == 0);
    if (strcmp(what, "log") == 0)
        return log_lines(argv[2], third, argc > 4 ? argv[4] : "line");
    if (strcmp(what, "once") == 0)
        return log_once(argv[2]);
    if (strcmp(what, "dates") == 0)
        return dates(argv + 2);
    return 2;
}
