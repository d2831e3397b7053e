/* fork.c - whose memory this is. */
#define _GNU_SOURCE
#include "fork.h"

#include <pthread.h>
#include <unistd.h>

static bool forked;
static pid_t process; /* the one that this memory belongs to */

static void in_child(void)
{
    forked = true;
    process = getpid();
}

bool gosess_fork_prepare(void)
{
    process = getpid();
    return pthread_atfork(NULL, NULL, in_child) == 0;
}

bool gosess_forked(void)
{
    return forked;
}

pid_t gosess_process(void)
{
    return process;
}

bool gosess_own_process(void)
{
    return getpid() == process;
}
