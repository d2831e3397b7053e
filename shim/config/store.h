/* store.h - the mapping of a shm store. */
#ifndef GOSESS_CONFIG_STORE_H
#define GOSESS_CONFIG_STORE_H

#include "keys.h"
#include "url.h"

/* A shm store, mapped shared and writable. */
struct gosess_store {
    void *base;
    uint64_t size;
    bool fixed; /* nobody can cut it short: it has no path, and is sealed (fcntl(2)) */
    struct gosess_window *window; /* of a fleet; NULL for others */
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
 * Whether the file of an open store has not been cut short under its mapping: a thread that used
 * it then would get SIGBUS. Cheap.
 */
bool gosess_store_whole(const struct gosess_store *store);

#endif
