/* environment.h - the environment, read once. */
#ifndef GOSESS_CONFIG_ENVIRONMENT_H
#define GOSESS_CONFIG_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/* What the environment said. Strings are NULL where it was silent. */
struct gosess_environment {
    char *cache, *tickets, *keys, *log, *core;
};
extern struct gosess_environment gosess_environment; /* set when the library is loaded */

/* Whether GOSESS_TICKETS=stateful. Valid once gosess_configure has returned true. */
extern bool gosess_stateful;

/*
 * Opens the log and checks GOSESS_TICKETS and GOSESS_CORE, once. False and an error where
 * one of them is wrong. With no lock.
 */
bool gosess_configure(char *error, size_t error_size);

/* GOSESS_CORE, or libgosess-core.so beside this library. Valid after gosess_configure. */
const char *gosess_core_path(void);

#endif
