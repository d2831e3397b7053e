/* fork.h - whose memory this is. */
#ifndef GOSESS_BASE_FORK_H
#define GOSESS_BASE_FORK_H

#include <stdbool.h>
#include <sys/types.h>

/* When the library is loaded. False where a fork would not be heard of: memory has run out. */
bool gosess_fork_prepare(void);

/* Whether this process was forked since the library was loaded. */
bool gosess_forked(void);

/* The process whose memory this is. */
pid_t gosess_process(void);

/*
 * Whether this process is the one whose memory this is. Not so in a child of vfork(2) or of a
 * clone(2) with CLONE_VM, which is about to become another program: what it loaded, its parent
 * would take for its own, and its threads would be gone. Nor in one that was made without the
 * handlers of pthread_atfork(3), which cannot be told from those.
 */
bool gosess_own_process(void);

#endif
