/*
 * check.c - what must hold before a store is used.
 */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/files.h"
#include "../base/io.h"
#include "../base/text.h"
#include "url.h"

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
    gosess_size_text(room >> 20 << 20, most);
    return room < GOSESS_SIZE_MIN
               ? GOSESS_FAIL(report,
                             "size %s is more than %s; allowed: more room, as the smallest store "
                             "has 1m",
                             text, where)
               : GOSESS_FAIL(report, "size %s is more than %s; allowed: up to %s", text, where,
                             most);
}

bool gosess_check_memory(uint64_t size, const struct gosess_report *report)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    return check_room(size, memory, "this machine's memory", report);
}

bool gosess_fail_open(const struct gosess_report *report)
{
    int error = errno;
    char directory[PATH_MAX];
    gosess_directory_of(report->path, directory);
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

bool gosess_fail_keyless(const struct gosess_report *report)
{
    return GOSESS_FAIL(report, "option \"fleet\" needs a key file, the same on all machines; "
                               "allowed: keys=/absolute/path, or GOSESS_KEYS");
}

bool gosess_fail_fleet(const struct gosess_report *report)
{
    return GOSESS_FAIL(report,
                       "store %s is that of a fleet; allowed: shm:%s?fleet, or to remove the file "
                       "while no server uses it",
                       report->path, report->path);
}

const char *gosess_fault(enum gosess_header_state state)
{
    switch (state) {
    case GOSESS_HEADER_VERSION:
        return "has another version";
    case GOSESS_HEADER_ALONE:
        return "is that of no fleet";
    default:
        return "is damaged";
    }
}

bool gosess_read_state(int fd, bool fleet, enum gosess_header_state *state, uint64_t *file_size,
                       const struct gosess_report *report)
{
    unsigned char header[GOSESS_SHM_HEADER_SIZE] = {0};
    struct stat status;
    ssize_t length = gosess_read_all(fd, header, sizeof(header), 0);
    if (length < 0 || fstat(fd, &status) != 0)
        return GOSESS_FAIL(report, "cannot read store %s: %s", report->path, strerror(errno));
    *file_size = (uint64_t)status.st_size;
    *state = length == 0 ? GOSESS_HEADER_UNFINISHED
                         : gosess_header_state(header, (size_t)length, *file_size, fleet);
    return true;
}

bool gosess_check_disk(uint64_t size, const struct gosess_report *report)
{
    char directory[PATH_MAX], where[PATH_MAX + 32];
    struct statvfs system;
    struct rlimit limit;

    gosess_directory_of(report->path, directory);
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        !check_room(size, limit.rlim_cur, "a file may have (ulimit -f)", report))
        return false;
    if (statvfs(directory, &system) != 0)
        return GOSESS_FAIL(report, "cannot look at %s: %s", directory, strerror(errno));
    if (system.f_blocks == 0)
        return true; /* without a limit, as a tmpfs can be, or it does not say */
    snprintf(where, sizeof(where), "the disk of %s has room for", directory);
    return check_room(size, (uint64_t)system.f_bavail * system.f_frsize, where, report);
}
