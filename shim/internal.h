/*
 * internal.h - what the parts of the C half say to each other: what is read and opened in the
 * process that configures. serve.h has what serves.
 *
 *   log.c      the one logger
 *   url.c      the URL grammar of GOSESS_CACHE
 *   store.c    opens the mapping of a shm store
 *   keys.c     reads and makes sealing keys
 *   config.c   the environment, read once
 *   cache.c    caches: what a URL opened, here and in the Go half
 */
#ifndef GOSESS_SHIM_INTERNAL_H
#define GOSESS_SHIM_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../shim.h" /* before what includes a header of libssl: OPENSSL_SUPPRESS_DEPRECATED */

#include "../include/gosess.h"

#define GOSESS_EXPORT __attribute__((visibility("default")))

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
 * Opens FILE for appending. A readable error with all but the first answer.
 */
enum gosess_log_opened {
    GOSESS_LOG_OPENED,
    GOSESS_LOG_ON_STDERR, /* instead of a file that this user cannot open */
    GOSESS_LOG_WRONG,     /* the value means nothing */
};
enum gosess_log_opened gosess_log_open(const char *value, char *error, size_t error_size);

/* --- url.c --- */

enum gosess_scheme {
    GOSESS_SCHEME_SHM,
    GOSESS_SCHEME_MEMORY,
};

/* A URL of GOSESS_CACHE, taken apart. Strings are empty where the URL is silent. */
struct gosess_url {
    enum gosess_scheme scheme;
    char path[PATH_MAX]; /* absolute; "" is an anonymous store */
    char keys[PATH_MAX]; /* ?keys=FILE, absolute */
    uint64_t size;       /* ?size=, in bytes; the default where not given */
    bool single_use;     /* ?single-use=tls13 */
    bool second_tier;    /* ?tier=second */
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

/* Up to 256 random bytes. False and an error where there are none. */
bool gosess_random(unsigned char *bytes, size_t size, char *error, size_t error_size);

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

/* Keeps keys out of the swap in this process; false, and errno, where that is not allowed. */
bool gosess_keys_lock(struct gosess_keys *keys);

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
 * A store of another version, or damaged, is replaced by an empty one, and kept as
 * PATH.old unless that is somebody's; note then says so ("" otherwise).
 */
bool gosess_store_open(const struct gosess_url *url, const char *keys_file,
                       struct gosess_store *store, char *note, char *error, size_t error_size);

/*
 * Whether the file of an open store has not been cut short under its mapping, which would be
 * SIGBUS for who uses it. Cheap.
 */
bool gosess_store_whole(const struct gosess_store *store);

/* The same without making, changing or locking anything: what open would do, in words. */
bool gosess_store_check(const struct gosess_url *url, const char *keys_file, char *note,
                        char *error, size_t error_size);

/* --- config.c --- */

/*
 * Held while anything is set up: the configuration, the table of libssl, the list of
 * contexts. A forking thread holds it across fork, so that a child never finds it locked.
 */
void gosess_setup_lock(void);
void gosess_setup_unlock(void);

/* Held while a callback that a program registered itself attaches its context. */
void gosess_attach_lock(void);
void gosess_attach_unlock(void);

/* What the environment said. Strings are NULL where it was silent. */
struct gosess_environment {
    char *cache, *tickets, *keys, *log, *core;
};
extern struct gosess_environment gosess_environment; /* set when the library is loaded */

/* Whether GOSESS_TICKETS=stateful. Valid once gosess_configure has returned true. */
extern bool gosess_stateful;

/*
 * Opens the log and checks GOSESS_TICKETS and GOSESS_CORE, once. False and an error where
 * one of them is wrong. With the setup lock.
 */
bool gosess_configure(char *error, size_t error_size);

/* GOSESS_CORE, or libgosess-core.so beside this library. Valid after gosess_configure. */
const char *gosess_core_path(void);

/* Whether this process was forked since the library was loaded. */
bool gosess_forked(void);

/*
 * Whether this process is the one whose memory this is. Not so in a child of vfork(2) or of a
 * clone(2) with CLONE_VM, which is about to become another program: what it loaded, its parent
 * would take for its own, and its threads would be gone. Nor in one that was made without the
 * handlers of pthread_atfork(3), which cannot be told from those.
 */
bool gosess_own_process(void);

/* --- cache.c --- */

/* What a URL opened. Counted references: its opener's and those of its contexts. */
struct gosess_cache {
    _Atomic int references;
    struct gosess_url url;
    struct gosess_store store; /* of a shm URL */
    _Atomic int number;        /* in this process's Go half; 0 before it was opened there */
    bool closed;               /* by its opener; with the setup lock, as what follows */
    struct gosess_cache *next; /* the one opened before */
};

/*
 * Opens a cache, with one reference; *note as gosess_store_open says. NULL and an error where
 * that fails. With the setup lock.
 */
struct gosess_cache *gosess_cache_make(const char *url, char *note, char *error, size_t error_size);

/*
 * The cache of GOSESS_CACHE, opened by the first call in this process or in one that it was
 * forked from; NULL where it is unset or cannot be served, which the first call logs. Without the
 * setup lock, which it takes, and without a reference.
 */
struct gosess_cache *gosess_cache_of_environment(void);

/* Whether a cache was ever opened here. Any thread; no lock. */
bool gosess_cache_any(void);

/* The cache that was opened first of those that still are, referenced; or NULL. */
struct gosess_cache *gosess_cache_first(void);

/* The cache that a program's handle means, referenced; NULL where it is none, or closed. */
struct gosess_cache *gosess_cache_opened(struct gosess_cache *given);

/* Takes the opener's reference back; false where the handle is none, or closed before. */
bool gosess_cache_give_up(struct gosess_cache *given);

/* Keeps the keys of all caches out of the swap in this process. With the setup lock. */
void gosess_cache_lock_keys(void);

struct gosess_cache *gosess_cache_ref(struct gosess_cache *cache);
void gosess_cache_unref(struct gosess_cache *cache); /* NULL is fine */

/*
 * The number of a cache in the loaded Go half, opening it there; -1 where that fails, or its store
 * has been cut short. Before each call of the Go half for it.
 */
int gosess_cache_number(struct gosess_cache *cache);

#endif
