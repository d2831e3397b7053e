/*
 * internal.h - what the parts of the C half say to each other.
 *
 *   log.c      the one logger
 *   url.c      the URL grammar of GOSESS_CACHE
 *   store.c    opens the mapping of a shm store
 *   keys.c     reads and makes sealing keys
 *   config.c   the environment, read once, and what it opened
 *   libssl.c   finds the host's libssl
 *   identity.c who may share sessions with a context
 *   core.c     loads the Go half, after the last fork
 *   process.c  the interposed functions of libc
 *   ../shim.c  the interposed functions of libssl, the contexts, the callbacks
 */
#ifndef GOSESS_SHIM_INTERNAL_H
#define GOSESS_SHIM_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../shim.h"

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

/* --- config.c --- */

/*
 * Held while anything is set up: the configuration, the table of libssl, the list of
 * contexts. A forking thread holds it across fork, so that a child never finds it locked.
 */
void gosess_setup_lock(void);
void gosess_setup_unlock(void);

/* What the environment asked for, opened. */
struct gosess_config {
    struct gosess_url url;
    struct gosess_store store;
    bool stateful;            /* GOSESS_TICKETS=stateful */
    char core_path[PATH_MAX]; /* GOSESS_CORE, or libgosess-core.so beside this library */
};

/* Whether GOSESS_CACHE was set when the library was loaded. */
bool gosess_wanted(void);

/*
 * The configuration, opened by the first call in this process or in one that it was
 * forked from; NULL where GOSESS_CACHE is unset or cannot be served, which the first call
 * logs. With the setup lock.
 */
const struct gosess_config *gosess_config(void);

/* Whether this process was forked since the library was loaded. */
bool gosess_forked(void);

/* --- libssl.c --- */

/*
 * The next definition of a function after ours: what the host would have called without
 * us. caller is the return address in the host, which finds a libssl that is loaded with
 * RTLD_LOCAL. NULL where there is none. Cached in *slot. Any thread.
 */
void *gosess_next(void *_Atomic *slot, const char *name, const void *caller);

/* gosess_next for the function name, in the body of our own definition of it. */
#define GOSESS_NEXT(name)                                                            \
    (__extension__({                                                                 \
        static void *_Atomic slot;                                                   \
        (__typeof__(&(name)))gosess_next(&slot, #name, __builtin_return_address(0)); \
    }))

/*
 * The table of the host's libssl; NULL, after a log line, where a function is missing. With
 * the setup lock.
 */
const struct gosess_libssl *gosess_libssl(const void *caller);

/* --- identity.c --- */

/*
 * A digest of a context's certificate and of its policy for client certificates: verify
 * mode, depth, flags, CA names and trusted certificates. The same in every process and
 * after every restart with the same configuration. False where libcrypto fails.
 */
bool gosess_identity(const struct gosess_libssl *libssl, SSL_CTX *ctx,
                     unsigned char digest[GOSESS_DIGEST_SIZE]);

/* --- core.c --- */

/* One call of the Go half, with its arguments and its answer. */
struct gosess_call {
    enum { GOSESS_CALL_NEW, GOSESS_CALL_GET, GOSESS_CALL_REMOVE } what;
    SSL *ssl;                /* new, get */
    SSL_CTX *ctx;            /* remove */
    SSL_SESSION *session;    /* new, remove: borrowed; get: the answer */
    const unsigned char *id; /* get */
    int id_length;
    int copy;
};

/*
 * Loads the Go half where this process has not yet, and waits for it, for a bounded time.
 * True when it is ready. start must stay valid.
 */
bool gosess_core_load(const char *path, const struct gosess_start *start);

/*
 * Makes a call of the loaded Go half: signals blocked, errno kept, never on the stack of
 * an ASYNC job. False where this process has no ready Go half.
 */
bool gosess_core_call(struct gosess_call *call);

/* --- ../shim.c --- */

/*
 * Loads the Go half in a process that was forked since the library was loaded and holds a
 * context that gosess serves. Keeps errno.
 */
void gosess_load_for_workers(void);

#endif
