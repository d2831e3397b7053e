/*
 * io.c - reading and writing in a thread of the host.
 */
#define _GNU_SOURCE
#include "io.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * The kernel says EFAULT of a page that it cannot read a mask from; and that the mask is for
 * nothing it says afterwards.
 */
bool gosess_readable(const void *bytes)
{
    int saved = errno;
    bool readable =
        syscall(SYS_rt_sigprocmask, -1, bytes, NULL, sizeof(uint64_t)) == 0 || errno != EFAULT;
    errno = saved;
    return readable;
}

void gosess_signals_block(struct gosess_signals *saved)
{
    int error = errno;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved->mask);
    sigpending(&saved->pending);
    errno = error;
}

void gosess_signals_restore(const struct gosess_signals *saved)
{
    static const int ours[] = {SIGPIPE, SIGXFSZ};
    int error = errno;
    sigset_t pending;
    sigpending(&pending);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (!sigismember(&pending, ours[i]) || sigismember(&saved->pending, ours[i]))
            continue;
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, ours[i]);
        struct timespec now = {0, 0};
        while (sigtimedwait(&one, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &saved->mask, NULL);
    errno = error;
}

ssize_t gosess_read_all(int fd, void *buffer, size_t size, off_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, (char *)buffer + done, size - done, offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

bool gosess_write_all(int fd, const void *buffer, size_t size, off_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pwrite(fd, (const char *)buffer + done, size - done, offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        done += (size_t)n;
    }
    return true;
}
