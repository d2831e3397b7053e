/*
 * settings.h - what log.c, url.c, keys.c, store.c, check.c and aside.c share among themselves.
 */
#ifndef GOSESS_SHIM_SETTINGS_H
#define GOSESS_SHIM_SETTINGS_H

#include <signal.h>
#include <sys/stat.h>

#include "internal.h"

/* Writes an error text and returns false, so that a check can end with it. */
bool gosess_fail(char *error, size_t error_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Blocks every signal of this thread while gosess does I/O of its own in a host's thread: a
 * write to a pipe without a reader (SIGPIPE) or beyond RLIMIT_FSIZE (SIGXFSZ) must not kill
 * the host, and no handler of its may see us in the middle. The end takes the two that we
 * caused ourselves and puts the mask back. Both keep errno.
 */
struct gosess_signals {
    sigset_t mask;
    sigset_t pending;
};
void gosess_signals_block(struct gosess_signals *saved);
void gosess_signals_restore(const struct gosess_signals *saved);

/* pread and pwrite of everything, resumed after signals. Short only at the end of the file. */
ssize_t gosess_read_all(int fd, void *buffer, size_t size, off_t offset);
bool gosess_write_all(int fd, const void *buffer, size_t size, off_t offset);

/* --- header.c: the first 64 bytes of a store, docs/shm-format.md --- */

enum gosess_header_state {
    GOSESS_HEADER_READY,
    GOSESS_HEADER_UNFINISHED, /* the magic alone: its maker died */
    GOSESS_HEADER_NOT_OURS,
    GOSESS_HEADER_VERSION,
    GOSESS_HEADER_DAMAGED,
};

/* id is random, and no other store's: what is stored is bound to it. */
void gosess_header_encode(unsigned char header[GOSESS_SHM_HEADER_SIZE], uint64_t size,
                          uint64_t created, const unsigned char id[GOSESS_SHM_ID_SIZE]);

/* header holds the first length bytes of a file of file_size bytes, the rest of it is zero. */
enum gosess_header_state gosess_header_state(const unsigned char header[GOSESS_SHM_HEADER_SIZE],
                                             size_t length, uint64_t file_size);

/* --- check.c --- */

/* The store that is being looked at, and where its operator reads what came of it. */
struct gosess_report {
    const char *path;
    char *note; /* GOSESS_ERROR_SIZE bytes */
    char *error;
    size_t error_size;
};

#define GOSESS_FAIL(report, ...) gosess_fail((report)->error, (report)->error_size, __VA_ARGS__)

/* False and an error unless it is a regular file; what ("store") and path are for the text. */
bool gosess_check_regular(const struct stat *status, const char *what, const char *path,
                          char *error, size_t error_size);

/* False and an error unless it is a file that this user alone can open. */
bool gosess_check_file(const struct stat *status, const struct gosess_report *report);

/* False and an error where a store in memory cannot be that large. */
bool gosess_check_memory(uint64_t size, const struct gosess_report *report);

/* The same of a new file at the path. posix_fallocate says so too, but fills the disk first. */
bool gosess_check_disk(uint64_t size, const struct gosess_report *report);

/* False and an error where a store could not be opened or made: errno says why. */
bool gosess_fail_open(const struct gosess_report *report);

bool gosess_fail_not_ours(const struct gosess_report *report);

/* Notes that an existing store keeps its size. */
void gosess_note_size(uint64_t have, uint64_t want, const struct gosess_report *report);

/* What is wrong with a store of this state, in words. */
const char *gosess_fault(enum gosess_header_state state);

/* Reads the state of a file and its size; an empty file counts as unfinished. */
bool gosess_read_state(int fd, enum gosess_header_state *state, uint64_t *size,
                       const struct gosess_report *report);

/* --- aside.c: a store that is of no use any more --- */

/* Names PATH.old. True where the store can be kept there: nothing is, or a store of this
 * user's, which makes way. Anything else is somebody's, and stays. */
bool gosess_aside_name(const char *path, char old[PATH_MAX]);

/* Keeps the store as PATH.old or, where it cannot be, removes it, and notes which. */
bool gosess_put_aside(enum gosess_header_state state, const struct gosess_report *report);

/* --- store.c --- */

/* The name of the file beside a store: PATH.key, PATH.old. */
void gosess_beside(const char *path, const char *suffix, char name[PATH_MAX]);

/* --- url.c --- */

#define GOSESS_SIZE_MIN (UINT64_C(1) << 20)
#define GOSESS_SIZE_MAX (UINT64_C(1) << 40)
#define GOSESS_SIZE_DEFAULT (UINT64_C(64) << 20)

/* "64m", "1536k", "1000001": as ?size= takes it. */
void gosess_size_text(uint64_t size, char text[24]);

#endif
