/*
 * room.c - whether there is room for a Go runtime, which ends its process where there is not.
 */
#define _GNU_SOURCE
#include "room.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../shim.h"

/*
 * A Go runtime aborts where it cannot start a thread. It starts no more than this: those of
 * capi/guard.go, and a few of its own.
 */
#define THREADS_NEEDED (GOSESS_PROCESSORS + GOSESS_SPARE_THREADS + 8)
/*
 * Address space that a Go runtime reserves, and libc for each thread that calls malloc (64 MiB);
 * memory that it may write; descriptors. With room: the first two were seen to be 2.0 GiB.
 */
#define SPACE_NEEDED ((size_t)2 << 30)
#define DATA_NEEDED ((size_t)256 << 20)
#define DESCRIPTORS_NEEDED 8

const char gosess_no_threads[] = "no more threads may be started here (RLIMIT_NPROC, pids.max, "
                                 "RLIMIT_AS; HAProxy: set insecure-fork-wanted)";

static _Atomic bool limited;

static void *hold_on(void *hold)
{
    pthread_mutex_lock(hold);
    pthread_mutex_unlock(hold);
    return NULL;
}

/*
 * By starting as many threads as Go will: neither RLIMIT_NPROC (S1) nor a cgroup's pids.max
 * says how much of it is left. Their stacks are of the size that Go's will have.
 */
static bool room_for_threads(void)
{
    pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[THREADS_NEEDED];
    int started = 0;
    pthread_mutex_lock(&hold);
    while (started < THREADS_NEEDED && pthread_create(&threads[started], NULL, hold_on, &hold) == 0)
        started++;
    pthread_mutex_unlock(&hold);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return started == THREADS_NEEDED;
}

/* Its poller has two descriptors, and reading random bytes may take another. */
static bool room_for_descriptors(void)
{
    int fds[DESCRIPTORS_NEEDED];
    int opened = 0;
    while (opened < DESCRIPTORS_NEEDED && (fds[opened] = eventfd(0, EFD_CLOEXEC)) >= 0)
        opened++;
    for (int i = 0; i < opened; i++)
        close(fds[i]);
    return opened == DESCRIPTORS_NEEDED;
}

bool gosess_room_limited(void)
{
    return limited;
}

static bool is_limited(int resource)
{
    struct rlimit limit;
    return getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* The address space is held while the threads are tried. */
/* A thread that cannot be started may be one that has no room for its stack. */
static const char *lack_of_threads(void)
{
    struct rlimit space, data;
    if (getrlimit(RLIMIT_AS, &space) != 0 || getrlimit(RLIMIT_DATA, &data) != 0 ||
        (space.rlim_cur == RLIM_INFINITY && data.rlim_cur == RLIM_INFINITY))
        return gosess_no_threads;
    return "too little address space or data, or too few threads, are allowed (RLIMIT_AS, "
           "RLIMIT_DATA, RLIMIT_NPROC, pids.max)";
}

const char *gosess_lack_of_room(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *space = mmap(NULL, SPACE_NEEDED, PROT_NONE, flags, -1, 0);
    void *data = mmap(NULL, DATA_NEEDED, PROT_READ | PROT_WRITE, flags, -1, 0);
    const char *problem = NULL;
    limited = is_limited(RLIMIT_AS) || is_limited(RLIMIT_DATA);
    if (space == MAP_FAILED || data == MAP_FAILED)
        problem = "too little address space or data is allowed (RLIMIT_AS, RLIMIT_DATA); allowed: "
                  "2.6 GiB and 400 MiB more than the server has";
    else if (!room_for_threads())
        problem = lack_of_threads();
    else if (!room_for_descriptors())
        problem = "too few files may be opened (RLIMIT_NOFILE)";
    if (space != MAP_FAILED)
        munmap(space, SPACE_NEEDED);
    if (data != MAP_FAILED)
        munmap(data, DATA_NEEDED);
    return problem;
}
