/*
 * aside.c - what becomes of a store that is damaged or of another version when an empty one
 * replaces it. One such store is kept, as PATH.old: two versions that take turns at one path
 * would fill the disk otherwise.
 */
#define _GNU_SOURCE
#include "aside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/files.h"
#include "../base/io.h"
#include "../base/text.h"

/* Whether a name is that of a store of this user's, of whatever version and state. */
static bool is_own_store(const char *name)
{
    char magic[sizeof(GOSESS_SHM_MAGIC) - 1];
    struct stat status;

    /* Looked at before it is opened, because opening a device can do something. */
    if (lstat(name, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    bool own = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
               gosess_read_all(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
               memcmp(magic, GOSESS_SHM_MAGIC, sizeof(magic)) == 0;
    close(fd);
    return own;
}

bool gosess_aside_name(const char *path, char old[PATH_MAX])
{
    struct stat status;
    gosess_beside(path, ".old", old);
    return (lstat(old, &status) != 0 && errno == ENOENT) || is_own_store(old);
}

bool gosess_put_aside(enum gosess_header_state state, const struct gosess_report *report)
{
    const char *path = report->path;
    char old[PATH_MAX];
    bool keep = gosess_aside_name(path, old);
    int failed = keep ? renameat2(AT_FDCWD, path, AT_FDCWD, old, RENAME_NOREPLACE) : unlink(path);
    if (keep && failed != 0 && errno == EEXIST && is_own_store(old))
        failed = rename(path, old);
    if (failed != 0)
        return GOSESS_FAIL(report, "store %s %s and cannot be %s %s: %s", path, gosess_fault(state),
                           keep ? "renamed to" : "removed beside", old, strerror(errno));
    if (keep)
        gosess_fail(report->note, GOSESS_ERROR_SIZE,
                    "store %s %s: kept as %s, an empty one replaces it", path, gosess_fault(state),
                    old);
    else
        gosess_fail(report->note, GOSESS_ERROR_SIZE,
                    "store %s %s: removed, an empty one replaces it; %s is no store of this "
                    "user's and stays",
                    path, gosess_fault(state), old);
    return true;
}
