/* files.c - files and their names. */
#define _GNU_SOURCE
#include "files.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static const char *kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFLNK:
        return "a symbolic link, which is not followed";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

bool gosess_check_regular(const struct stat *status, const char *what, const char *path,
                          char *error, size_t error_size)
{
    if (S_ISREG(status->st_mode))
        return true;
    return gosess_fail(error, error_size, "%s %s is %s; allowed: a regular file, or a new name",
                       what, path, kind(status->st_mode));
}

void gosess_beside(const char *path, const char *suffix, char name[PATH_MAX])
{
    /* config/url.c leaves room for the suffix. */
    int length = snprintf(name, PATH_MAX, "%s%s", path, suffix);
    if (length >= PATH_MAX)
        name[0] = '\0';
}

void gosess_directory_of(const char *path, char directory[PATH_MAX])
{
    snprintf(directory, PATH_MAX, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory ? 1 : 0] = '\0';
}
