/* check.h - what must hold before a store is used. */
#ifndef GOSESS_CONFIG_CHECK_H
#define GOSESS_CONFIG_CHECK_H

#include <sys/stat.h>

#include "header.h" /* and with it shim.h, before a header of libssl */

#include "../../include/gosess.h"

/* The store that is being looked at, and where its operator reads what came of it. */
struct gosess_report {
    const char *path;
    char *note; /* GOSESS_ERROR_SIZE bytes */
    char *error;
    size_t error_size;
};

#define GOSESS_FAIL(report, ...) gosess_fail((report)->error, (report)->error_size, __VA_ARGS__)

/* False and an error unless it is a file that this user alone can open. */
bool gosess_check_file(const struct stat *status, const struct gosess_report *report);

/* False and an error where a store in memory cannot be that large. */
bool gosess_check_memory(uint64_t size, const struct gosess_report *report);

/* The same of a new file at the path. posix_fallocate says so too, but fills the disk first. */
bool gosess_check_disk(uint64_t size, const struct gosess_report *report);

/* False and an error where a store could not be opened or made: errno says why. */
bool gosess_fail_open(const struct gosess_report *report);

bool gosess_fail_not_ours(const struct gosess_report *report);

/* For a fleet whose machines would each have a key of their own. */
bool gosess_fail_keyless(const struct gosess_report *report);

/* For the store of a fleet that a URL does not say is one. */
bool gosess_fail_fleet(const struct gosess_report *report);

/* Notes that an existing store keeps its size. */
void gosess_note_size(uint64_t have, uint64_t want, const struct gosess_report *report);

/* What is wrong with a store of this state, in words. */
const char *gosess_fault(enum gosess_header_state state);

/* Reads the state of a file and its size; an empty file counts as unfinished. */
bool gosess_read_state(int fd, bool fleet, enum gosess_header_state *state, uint64_t *file_size,
                       const struct gosess_report *report);

#endif
