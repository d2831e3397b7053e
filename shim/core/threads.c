/* threads.c - the threads of the Go half, and of this process. */
#define _GNU_SOURCE
#include "threads.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int tasks = -1; /* /proc/self/task: a host may go into a chroot */
static struct stat tasks_status;
/* Once the Go half is ready, only the thread that changes the user has to do with these. */
static struct gosess_identifiers ours; /* of the Go half's threads */
static bool alike;                     /* they are all alike */

struct gosess_identifiers gosess_own_identifiers(void)
{
    struct gosess_identifiers own = {0};
    getresuid(&own.user[0], &own.user[1], &own.user[2]);
    getresgid(&own.group[0], &own.group[1], &own.group[2]);
    return own;
}

bool gosess_same_identifiers(const struct gosess_identifiers *a, const struct gosess_identifiers *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

void gosess_threads_prepare(void)
{
    tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ours = gosess_own_identifiers();
    alike = tasks >= 0 && fstat(tasks, &tasks_status) == 0;
}

/* A host that closes what it does not know may have got the number for a file of its own. */
int gosess_threads_listed(void)
{
    struct stat now;
    bool known = tasks >= 0 && fstat(tasks, &now) == 0 && now.st_dev == tasks_status.st_dev &&
                 now.st_ino == tasks_status.st_ino;
    return known ? tasks : -1;
}

bool gosess_threads_have(const struct gosess_identifiers *identifiers)
{
    return alike && gosess_same_identifiers(identifiers, &ours);
}

void gosess_threads_note(const struct gosess_identifiers *identifiers, bool all)
{
    ours = *identifiers;
    alike = all;
}
