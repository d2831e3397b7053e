/* generations.h - whether a host forks a process for each connection. */
#ifndef GOSESS_CORE_GENERATIONS_H
#define GOSESS_CORE_GENERATIONS_H

#include <stdbool.h>

/* Before the host forks. Setup lock. */
void gosess_generations_prepare(void);

/* A connection of an attached context is about to be made. */
void gosess_generations_connection(void);

/* This process is about to load the Go half. False: it is one for a single connection. */
bool gosess_generation_begins(void);

/* Whether the host has been found to fork a process for each connection, of late. Cheap. */
bool gosess_generations_over(void);

#endif
