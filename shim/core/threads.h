/* threads.h - the threads of the Go half, and of this process. */
#ifndef GOSESS_CORE_THREADS_H
#define GOSESS_CORE_THREADS_H

#include <stdbool.h>
#include <sys/types.h>

/* The users and groups of a thread: real, effective, saved. */
struct gosess_identifiers {
    uid_t user[3];
    gid_t group[3];
};

struct gosess_identifiers gosess_own_identifiers(void);
bool gosess_same_identifiers(const struct gosess_identifiers *a,
                             const struct gosess_identifiers *b);

/* When the Go half has been loaded, in its thread. */
void gosess_threads_prepare(void);

/* A directory with an entry for each thread of this process (/proc/self/task); -1: not known. */
int gosess_threads_listed(void);

/* Whether these are known to be the identifiers of all threads of the Go half. */
bool gosess_threads_have(const struct gosess_identifiers *identifiers);

/* Notes what they have; alike: all of them. */
void gosess_threads_note(const struct gosess_identifiers *identifiers, bool alike);

#endif
