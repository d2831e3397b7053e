/* shared.h - contexts in memory that processes share. */
#ifndef GOSESS_SSL_SHARED_H
#define GOSESS_SSL_SHARED_H

#include <stdbool.h>

/*
 * Whether an object of OpenSSL lies in memory that other processes have too, by the host's own
 * memory functions: then nothing may be kept of it here, which a line says. Keeps errno.
 */
bool gosess_shared_memory(const void *object);

#endif
