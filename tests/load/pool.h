/* pool.h - sessions in a file. */
#ifndef LOAD_POOL_H
#define LOAD_POOL_H

#include <openssl/ssl.h>

/* Reads up to size sessions and returns how many. A file that holds none ends the program. */
int pool_read(const char *path, SSL_SESSION **pool, int size);

/* Writes those that are there into a new file, which takes the place of an old one. */
void pool_write(const char *path, SSL_SESSION **pool, int size);

#endif
