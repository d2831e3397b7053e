/* pool.c - sessions in files: see pool.h. */
#include "pool.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

int pool_read(SSL_SESSION **pool, int count, const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die("%s: %s", path, strerror(errno));
    int read = 0;
    SSL_SESSION *session;
    while (read < count && (session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL)))
        pool[read++] = session;
    ERR_clear_error(); /* the end of the file */
    fclose(file);
    if (read == 0)
        die("%s: holds no session", path);
    return read;
}

/* The file holds secrets: 0600 from the start, and never another file than a new one. */
void pool_write(SSL_SESSION *const *pool, int count, const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT)
        die("%s: %s", path, strerror(errno));
    umask(0077);
    FILE *file = fopen(path, "wx");
    if (file == NULL)
        die("%s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++)
        if (pool[i] != NULL && PEM_write_SSL_SESSION(file, pool[i]) != 1)
            die("%s: cannot write", path);
    if (fclose(file) != 0)
        die("%s: %s", path, strerror(errno));
}
