/* sandbox.h - whether the system calls of a Go runtime are allowed here. */
#ifndef GOSESS_CORE_SANDBOX_H
#define GOSESS_CORE_SANDBOX_H

#include <stdbool.h>

/*
 * Whether a Go runtime may make its system calls here, and gosess its own; a line says which not.
 * Before anything of either. With no lock.
 */
bool gosess_calls_allowed(void);

/* This process is about to filter its own system calls. True for the first time. */
bool gosess_filter_comes(void);

/* It may be about to, without a call that is heard. */
void gosess_filter_may_come(void);

#endif
