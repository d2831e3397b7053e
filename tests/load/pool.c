/* pool.c - sessions in a file: see pool.h. */
#include "pool.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

int pool_read(const char *path, SSL_SESSION **pool, int size)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die("%s: %s", path, strerror(errno));
    int count = 0;
    SSL_SESSION *session;
    while (count < size && (session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL)))
        pool[count++] = session;
    ERR_clear_error(); /* the end of the file */
    fclose(file);
    if (count == 0)
        die("%s: holds no session", path);
    return count;
}

/* The file holds secrets: 0600 from the start, and never another file than a new one. */
void pool_write(const char *path, SSL_SESSION **pool, int size)
{
    if (unlink(path) != 0 && errno != ENOENT)
        die("%s: %s", path, strerror(errno));
    umask(0077);
    FILE *file = fopen(path, "wx");
    if (file == NULL)
        die("%s: %s", path, strerror(errno));
    for (int i = 0; i < size; i++)
        if (pool[i] != NULL && PEM_write_SSL_SESSION(file, pool[i]) != 1)
            die("%s: cannot write", path);
    if (fclose(file) != 0)
        die("%s: %s", path, strerror(errno));
}
