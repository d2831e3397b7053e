/*
 * gosess.h - the public C API of gosess, a TLS session cache for servers that use OpenSSL.
 *
 * A program needs nothing of this to be served: LD_PRELOAD=libgosess.so with GOSESS_CACHE
 * in its environment is enough. See README.md.
 */
#ifndef GOSESS_H
#define GOSESS_H

#ifdef __cplusplus
extern "C" {
#endif

#define GOSESS_VERSION_MAJOR 0
#define GOSESS_VERSION_MINOR 1
#define GOSESS_VERSION_PATCH 0
#define GOSESS_VERSION "0.1.0"

/* The version of the library that runs, "MAJOR.MINOR.PATCH". Static; any thread. */
const char *gosess_version(void);

#ifdef __cplusplus
}
#endif

#endif
