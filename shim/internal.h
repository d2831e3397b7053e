/*
 * internal.h - what the parts of the C half say to each other.
 *
 *   log.c      the one logger
 *   url.c      the URL grammar of GOSESS_CACHE
 *   store.c    opens the mapping of a shm store
 *   keys.c     reads and makes sealing keys
 *   config.c   the environment, read once, and what it opened
 *   libssl.c   finds the host's libssl
 *   core.c     loads the Go half, after the last fork
 *   ../shim.c  the interposed functions, the contexts, the callbacks
 */
#ifndef GOSESS_SHIM_INTERNAL_H
#define GOSESS_SHIM_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../shim.h"

/* --- log.c --- */

/*
 * Formats one line, "gosess: [pid] text\n", and writes it in one write(2) to
 * stderr or to the file of GOSESS_LOG. At most one line per cause and minute, over
 * all the processes that share the configuring one. Keeps errno. Any thread.
 */
void gosess_log(enum gosess_log_level level, enum gosess_log_cause cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Reads the value of GOSESS_LOG (NULL: the default, "error"): LEVEL, or LEVEL:FILE.
 * Opens FILE for appending. False and a readable error where it cannot.
 */
bool gosess_log_open(const char *value, char *error, size_t error_size);

/* --- url.c --- */

#define GOSESS_ERROR_SIZE 512 /* enough for every error text below */

enum gosess_scheme {
    GOSESS_SCHEME_SHM,
};

/* A URL of GOSESS_CACHE, taken apart. Strings are empty where the URL is silent. */
struct gosess_url {
    enum gosess_scheme scheme;
    char path[PATH_MAX]; /* absolute; "" is an anonymous store */
    char keys[PATH_MAX]; /* ?keys=FILE, absolute */
    uint64_t size;       /* ?size=, in bytes; the default where not given */
};

/*
 * Parses one URL: scheme ":" [path] ["?" option "=" value *("&" option "=" value)].
 * Touches no file. False and an error that names the offending word and what is
 * allowed in its place; *url is undefined then.
 */
bool gosess_url_parse(const char *text, struct gosess_url *url, char *error, size_t error_size);

/* --- keys.c --- */

#define GOSESS_KEYS_MAX 16

/*
 * Sealing keys, newest first. Lives in a mapping of its own that is left out of
 * core dumps and inherited by forked workers. Never log it.
 */
struct gosess_keys {
    unsigned count;
    unsigned char key[GOSESS_KEYS_MAX][GOSESS_KEY_SIZE];
};

/* Fresh keys in memory: one random key. NULL and an error where that fails. */
struct gosess_keys *gosess_keys_random(char *error, size_t error_size);

/*
 * Reads a key file: one key a line, 32 bytes in base64, newest first; blank lines
 * and lines that begin with # are skipped. Where create is set and the file does
 * not exist it is made, with one key, 0600, complete or not at all. NULL and an
 * error (which never holds a byte of the file) where the file cannot be used: not
 * regular, readable by group or others, empty, or not of that form.
 */
struct gosess_keys *gosess_keys_read(const char *path, bool create, char *error, size_t error_size);

void gosess_keys_free(struct gosess_keys *keys); /* zeroes, unmaps; NULL is fine */

/* --- store.c --- */

/* A shm store, mapped shared and writable. */
struct gosess_store {
    void *base;
    uint64_t size;
    struct gosess_keys *keys;
};

/*
 * Opens the store of a URL, making it where it does not exist: docs/shm-format.md
 * has the header, which is all that this half knows of the format. All space is
 * allocated when a store is made, so a full disk is an error here and not a
 * SIGBUS later. keys_file is GOSESS_KEYS or "" (then ?keys=, then PATH.key). False
 * and an error where there is no store to serve from; whatever was begun is undone.
 * A store of another version, or damaged, is renamed to PATH.old and replaced by
 * an empty one; note then says so ("" otherwise).
 */
bool gosess_store_open(const struct gosess_url *url, const char *keys_file,
                       struct gosess_store *store, char *note, char *error, size_t error_size);

/* The same without making, changing or locking anything: what open would do, in words. */
bool gosess_store_check(const struct gosess_url *url, const char *keys_file, char *note,
                        char *error, size_t error_size);

#endif
