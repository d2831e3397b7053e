/* process.h - the interposed functions of libc after which the Go half can no longer be loaded. */
#ifndef GOSESS_SERVE_PROCESS_H
#define GOSESS_SERVE_PROCESS_H

/* What a function of libc answers that the host's libc does not have: -1, ENOSYS. */
int gosess_absent(void);

/* Loads the Go half where this process was forked, serves, and is about to drop its rights. */
void gosess_may_become_server(void);

#endif
