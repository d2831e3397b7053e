/* credentials.h - what threads may do, where those of the Go half and of the host differ. */
#ifndef GOSESS_CORE_CREDENTIALS_H
#define GOSESS_CORE_CREDENTIALS_H

#include <signal.h>
#include <stdbool.h>

/* A system call that changes the caller's user or groups; number 0 is none. */
struct gosess_change {
    long number;
    long argument[3];
};

/*
 * Begins and ends what one thread at a time does. False where libc alone is to do it: the Go half
 * is not in this process, or its threads cannot be listed.
 */
bool gosess_change_begin(sigset_t *mask);
void gosess_change_end(const sigset_t *mask);

/* Whether a change has the same answer in the Go half's threads as here. Begun. */
bool gosess_change_agrees(void);

/* Notes that libc has made it in all of them, with this result, which is returned. Begun. */
int gosess_change_passed(int result);

/* Makes the change in this thread; and then in all others, as credentials.c says. Begun. */
bool gosess_change_here(const struct gosess_change *change);
bool gosess_change_others(const struct gosess_change *change);

#endif
