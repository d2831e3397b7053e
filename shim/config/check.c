/*
 * check.c - what must hold before a store is used, and gosess_store_check, which says what
 * store.c would do without making, changing or locking anything.
 */
#define _GNU_SOURCE
#include "../settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

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

bool gosess_check_file(const struct stat *status, const struct gosess_report *report)
{
    const char *path = report->path;
    if (!gosess_check_regular(status, "store", path, report->error, report->error_size))
        return false;
    if (status->st_uid != geteuid())
        return GOSESS_FAIL(report,
                           "store %s belongs to user %ld; allowed: the user that starts the "
                           "server, %ld",
                           path, (long)status->st_uid, (long)geteuid());
    if (status->st_mode & 077)
        return GOSESS_FAIL(report, "store %s is open to others (mode %04o); allowed: 0600", path,
                           (unsigned)status->st_mode & 07777);
    if (status->st_nlink > 1)
        return GOSESS_FAIL(report, "store %s has %lu names (hard links); allowed: one", path,
                           (unsigned long)status->st_nlink);
    return true;
}

static bool check_room(uint64_t size, uint64_t room, const char *where,
                       const struct gosess_report *report)
{
    if (size <= room)
        return true;
    char text[24], most[24];
    gosess_size_text(size, text);
    gosess_size_text(room < UINT64_C(1) << 20 ? room : room >> 20 << 20, most);
    return GOSESS_FAIL(report, "size %s is more than %s; allowed: up to %s", text, where, most);
}

bool gosess_check_memory(uint64_t size, const struct gosess_report *report)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    return check_room(size, memory, "this machine's memory", report);
}

/* The directory of an absolute path: "/run" of "/run/web", "/" of "/web". */
static void directory_of(const char *path, char directory[PATH_MAX])
{
    snprintf(directory, PATH_MAX, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory ? 1 : 0] = '\0';
}

bool gosess_fail_open(const struct gosess_report *report)
{
    int error = errno;
    char directory[PATH_MAX];
    directory_of(report->path, directory);
    struct stat status;
    if (stat(directory, &status) != 0 && errno == ENOENT)
        return GOSESS_FAIL(report,
                           "cannot open store %s: directory %s is missing; allowed: a file in a "
                           "directory that exists",
                           report->path, directory);
    return GOSESS_FAIL(report,
                       "cannot open store %s: %s; allowed: a file in a directory that this user "
                       "may write to, not %s",
                       report->path, strerror(error), directory);
}

bool gosess_fail_not_ours(const struct gosess_report *report)
{
    return GOSESS_FAIL(report,
                       "%s is not a store of gosess and stays untouched; allowed: a store, or a "
                       "new name",
                       report->path);
}

void gosess_note_size(uint64_t have, uint64_t want, const struct gosess_report *report)
{
    char have_text[24], want_text[24];
    gosess_size_text(have, have_text);
    gosess_size_text(want, want_text);
    gosess_fail(report->note, GOSESS_ERROR_SIZE,
                "store %s stays at size %s, not %s; to change it, remove the file while no server "
                "uses it",
                report->path, have_text, want_text);
}

const char *gosess_fault(enum gosess_header_state state)
{
    return state == GOSESS_HEADER_VERSION ? "has another version" : "is damaged";
}

bool gosess_read_state(int fd, enum gosess_header_state *state, uint64_t *size,
                       const struct gosess_report *report)
{
    unsigned char header[GOSESS_SHM_HEADER_SIZE] = {0};
    struct stat status;
    ssize_t length = gosess_read_all(fd, header, sizeof(header), 0);
    if (length < 0 || fstat(fd, &status) != 0)
        return GOSESS_FAIL(report, "cannot read store %s: %s", report->path, strerror(errno));
    *size = (uint64_t)status.st_size;
    *state =
        length == 0 ? GOSESS_HEADER_UNFINISHED : gosess_header_state(header, (size_t)length, *size);
    return true;
}

bool gosess_check_disk(uint64_t size, const struct gosess_report *report)
{
    char directory[PATH_MAX];
    struct statvfs system;
    struct rlimit limit;

    directory_of(report->path, directory);
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        !check_room(size, limit.rlim_cur, "a file may have (ulimit -f)", report))
        return false;
    if (statvfs(directory, &system) != 0)
        return GOSESS_FAIL(report, "cannot look at %s: %s", directory, strerror(errno));
    if (system.f_blocks == 0)
        return true; /* without a limit, as a tmpfs can be, or it does not say */
    return check_room(size, (uint64_t)system.f_bavail * system.f_frsize, "the disk has room for",
                      report);
}

/* Whether a store of this size can be made at the path. */
static bool check_make(uint64_t size, const struct gosess_report *report)
{
    char directory[PATH_MAX];
    directory_of(report->path, directory);
    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0)
        return gosess_fail_open(report);
    return gosess_check_disk(size, report);
}

/* Says in words what would become of an existing file; *make where a new one replaces it. */
static bool check_existing(const struct gosess_url *url, bool *make,
                           const struct gosess_report *report)
{
    enum gosess_header_state state = GOSESS_HEADER_NOT_OURS;
    uint64_t size = 0;
    int fd = open(url->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return gosess_fail_open(report);
    bool done = gosess_read_state(fd, &state, &size, report);
    close(fd);
    if (!done)
        return false;

    char text[24];
    switch (state) {
    case GOSESS_HEADER_READY:
        gosess_size_text(size, text);
        gosess_fail(report->note, GOSESS_ERROR_SIZE, "would open store %s of size %s", url->path,
                    text);
        if (size != url->size)
            gosess_note_size(size, url->size, report);
        return true;
    case GOSESS_HEADER_UNFINISHED:
        *make = true;
        return true;
    case GOSESS_HEADER_NOT_OURS:
        return gosess_fail_not_ours(report);
    case GOSESS_HEADER_VERSION:
    case GOSESS_HEADER_DAMAGED:
        break;
    }
    char old[PATH_MAX];
    if (gosess_aside_name(url->path, old))
        gosess_fail(report->note, GOSESS_ERROR_SIZE,
                    "store %s %s: would keep it as %s and make an empty one", url->path,
                    gosess_fault(state), old);
    else
        gosess_fail(report->note, GOSESS_ERROR_SIZE,
                    "store %s %s: would remove it and make an empty one; %s is no store of this "
                    "user's and stays",
                    url->path, gosess_fault(state), old);
    return check_make(url->size, report);
}

static bool check_path(const struct gosess_url *url, const struct gosess_report *report)
{
    struct stat status;
    bool make = false;
    if (lstat(url->path, &status) == 0) {
        if (!gosess_check_file(&status, report) || !check_existing(url, &make, report))
            return false;
    } else if (errno == ENOENT) {
        make = true;
    } else {
        return gosess_fail_open(report);
    }
    if (!make)
        return true;
    char text[24];
    gosess_size_text(url->size, text);
    gosess_fail(report->note, GOSESS_ERROR_SIZE, "would make store %s of size %s", url->path, text);
    return check_make(url->size, report);
}

static bool check_keys(const struct gosess_url *url, const char *keys_file,
                       const struct gosess_report *report)
{
    char beside[PATH_MAX];
    struct stat status;
    if (*url->keys)
        keys_file = url->keys;
    if (!*keys_file && *url->path) {
        gosess_beside(url->path, ".key", beside);
        if (lstat(beside, &status) != 0)
            return errno == ENOENT || gosess_fail_open(report); /* or it would be made */
        if (S_ISLNK(status.st_mode))
            return gosess_check_regular(&status, "key file", beside, report->error,
                                        report->error_size);
        keys_file = beside;
    }
    if (!*keys_file)
        return true;
    struct gosess_keys *keys =
        gosess_keys_read(keys_file, false, report->error, report->error_size);
    gosess_keys_free(keys);
    return keys != NULL;
}

bool gosess_store_check(const struct gosess_url *url, const char *keys_file, char *note,
                        char *error, size_t error_size)
{
    struct gosess_report report = {url->path, note, error, error_size};
    note[0] = '\0';
    if (url->scheme == GOSESS_SCHEME_MEMORY) {
        char most[24];
        gosess_size_text(url->size, most);
        gosess_fail(note, GOSESS_ERROR_SIZE, "would keep up to %s of live sessions in each process",
                    most);
        return true;
    }
    if (!check_keys(url, keys_file, &report))
        return false;
    if (*url->path)
        return check_path(url, &report);
    char text[24];
    gosess_size_text(url->size, text);
    gosess_fail(note, GOSESS_ERROR_SIZE, "would make a store of size %s in memory", text);
    return gosess_check_memory(url->size, &report);
}
