/*
 * clock.c - the clock of a server, which a test sets: what time(2) and gettimeofday(2) say to all
 * that is in the process, libssl and the C half too. The file $CLOCK has the time in its first 8
 * bytes, in unix seconds: there it stands still. $CLOCK_APART seconds are added. The Go half makes
 * system calls of its own, and keeps the machine's clock.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const _Atomic int64_t *set;
static int64_t apart;

/* Mapped before the server clears its environment, and takes another directory for the root. */
__attribute__((constructor)) static void map(void)
{
    const char *path = getenv("CLOCK"), *seconds = getenv("CLOCK_APART");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        abort();
    set = mmap(NULL, sizeof *set, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (set == MAP_FAILED)
        abort();
    apart = seconds ? atoll(seconds) : 0;
}

time_t time(time_t *out)
{
    time_t now = (time_t)(*set + apart);
    if (out)
        *out = now;
    return now;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    (void)zone;
    *out = (struct timeval){.tv_sec = time(NULL)};
    return 0;
}
