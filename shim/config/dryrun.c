/*
 * dryrun.c - what store.c would do, without making, changing or locking anything.
 */
#define _GNU_SOURCE
#include "dryrun.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/files.h"
#include "../base/text.h"
#include "aside.h"
#include "check.h"
#include "header.h"
#include "keys.h"

/* Whether a store of this size can be made at the path. */
static bool check_make(uint64_t size, const struct gosess_report *report)
{
    char directory[PATH_MAX];
    gosess_directory_of(report->path, directory);
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
    bool done = gosess_read_state(fd, url->fleet, &state, &size, report);
    close(fd);
    if (!done)
        return false;

    char text[24];
    switch (state) {
    case GOSESS_HEADER_READY:
        size -= gosess_file_size(0, url->fleet);
        gosess_size_text(size, text);
        gosess_fail(report->note, GOSESS_ERROR_SIZE, "would open store %s of size %s", url->path,
                    text);
        if (url->sized && size != url->size)
            gosess_note_size(size, url->size, report);
        return true;
    case GOSESS_HEADER_UNFINISHED:
        *make = true;
        return true;
    case GOSESS_HEADER_NOT_OURS:
        return gosess_fail_not_ours(report);
    case GOSESS_HEADER_FLEET:
        return gosess_fail_fleet(report);
    case GOSESS_HEADER_ALONE:
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
    return check_make(gosess_file_size(url->size, url->fleet), report);
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
    return check_make(gosess_file_size(url->size, url->fleet), report);
}

static bool check_keys(const struct gosess_url *url, const char *keys_file,
                       const struct gosess_report *report)
{
    char beside[PATH_MAX];
    struct stat status;
    if (*url->keys)
        keys_file = url->keys;
    if (!*keys_file && url->fleet)
        return gosess_fail_keyless(report);
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
    if (url->scheme->live) {
        char most[24];
        gosess_size_text(url->size, most);
        gosess_fail(note, GOSESS_ERROR_SIZE, "would keep up to %s of live sessions in each process",
                    most);
        return true;
    }
    /* In the order in which a server looks at them, so that it says what that would say. */
    if (*url->path && !check_path(url, &report))
        return false;
    if (!check_keys(url, keys_file, &report))
        return false;
    if (*url->path) {
        char fleet[GOSESS_FLEET_TEXT_SIZE];
        gosess_url_fleet_text(url, fleet);
        size_t length = strlen(note);
        snprintf(note + length, GOSESS_ERROR_SIZE - length, "%s", fleet);
        return true;
    }
    char text[24];
    gosess_size_text(url->size, text);
    gosess_fail(note, GOSESS_ERROR_SIZE, "would make a store of size %s in memory", text);
    return gosess_check_memory(url->size, &report);
}
