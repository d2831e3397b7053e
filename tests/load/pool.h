/* pool.h - sessions in files, for another run. */
#ifndef LOAD_POOL_H
#define LOAD_POOL_H

#include <openssl/ssl.h>

/* Fills the pool, up to count sessions, from a file that pool_write has made. Returns how many
 * there are. */
int pool_read(SSL_SESSION **pool, int count, const char *path);

/* Writes the sessions of the pool that are there. */
void pool_write(SSL_SESSION *const *pool, int count, const char *path);

#endif
