/* environment.h - the environment, read once. */
#ifndef GOSESS_CONFIG_ENVIRONMENT_H
#define GOSESS_CONFIG_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the environment said. Strings are NULL where it was silent. */
struct gosess_environment {
    char *cache, *tickets, *period, *keys, *log, *core;
    char *misspelt;    /* a variable whose name is nearly one of these, which nobody reads */
    const char *meant; /* that one */
};
extern struct gosess_environment gosess_environment; /* set when the library is loaded */

/* What GOSESS_TICKETS and GOSESS_TICKET_PERIOD say. Valid once gosess_configure has returned true.
 */
extern bool gosess_stateful;
extern bool gosess_tickets_shared;
extern bool gosess_tickets_override; /* even where the host has ticket keys of its own */
extern int64_t gosess_ticket_period; /* seconds */

/*
 * Opens the log and checks GOSESS_TICKETS, GOSESS_TICKET_PERIOD and GOSESS_CORE, once. False and an
 * error where one of them is wrong. With no lock.
 */
bool gosess_configure(char *error, size_t error_size);

/* Has the log say, once, that a variable is misspelt, where one is. With no lock. */
void gosess_say_misspelt(void);

/* GOSESS_CORE, or libgosess-core.so beside this library. Valid after gosess_configure. */
const char *gosess_core_path(void);

#endif
