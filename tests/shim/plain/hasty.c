/* hasty.c - whoever waits for longer than a minute for a condition is woken 20 times a second. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *deadline)
{
    static __typeof__(&pthread_cond_clockwait) next;
    struct timespec soon;
    if (!next) {
        void *found = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
        memcpy(&next, &found, sizeof next);
    }
    clock_gettime(clock, &soon);
    if (deadline->tv_sec - soon.tv_sec < 60)
        return next(condition, mutex, clock, deadline);
    soon.tv_nsec += 50 * 1000 * 1000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    return next(condition, mutex, clock, &soon);
}
