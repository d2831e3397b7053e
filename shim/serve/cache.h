/* cache.h - caches: what a URL opened, here and in the Go half. */
#ifndef GOSESS_SERVE_CACHE_H
#define GOSESS_SERVE_CACHE_H

#include "../../shim.h" /* before a header of libssl: OPENSSL_SUPPRESS_DEPRECATED */

#include "../../include/gosess.h"
#include "../base/once.h"
#include "../config/store.h"
#include "../tickets/routes.h"
#include "../tickets/secrets.h"

/* What a URL opened. Counted references: its opener's and those of its contexts. */
struct gosess_cache {
    _Atomic int references;
    struct gosess_url url;
    struct gosess_store store;      /* of a shm URL */
    struct gosess_secrets *secrets; /* of tickets; NULL where they are not shared */
    struct gosess_once secrets_asked;
    struct gosess_routes *routes; /* NULL as the secrets are, and without memory */
    _Atomic int number;           /* in this process's Go half; 0 before it was opened there */
    bool closed;                  /* by its opener; with the setup lock, as what follows */
    struct gosess_cache *next;    /* the one opened before */
};

/* Where tickets of a context are counted, in the mapping of its cache: tally.c. */
struct gosess_tallies {
    struct gosess_once asked;
    _Atomic bool known;
    uint64_t *_Atomic process, *_Atomic context; /* NULL: nowhere */
};

/*
 * Opens a cache, with one reference; *note as gosess_store_open says. NULL and an error where
 * that fails. With no lock.
 */
struct gosess_cache *gosess_cache_make(const char *url, char *note, char *error, size_t error_size);

/*
 * The cache of GOSESS_CACHE, opened by the first call in this process or in one that it was
 * forked from; NULL where it is unset or cannot be served, which the first call logs. With no
 * lock, and without a reference.
 */
struct gosess_cache *gosess_cache_of_environment(void);

/* Whether a cache was ever opened here. Any thread; no lock. */
bool gosess_cache_any(void);

/* The cache that was opened first of those that still are, referenced; or NULL. */
struct gosess_cache *gosess_cache_first(void);

/*
 * The next one with a shared store, referenced, of those opened before this one, whose reference
 * is given back; of all after NULL. NULL after the last.
 */
struct gosess_cache *gosess_cache_next_shared(struct gosess_cache *after);

/* The cache that a program's handle means, referenced; NULL where it is none, or closed. */
struct gosess_cache *gosess_cache_opened(struct gosess_cache *given);

/* Takes the opener's reference back; false where the handle is none, or closed before. */
bool gosess_cache_give_up(struct gosess_cache *given);

struct gosess_cache *gosess_cache_ref(struct gosess_cache *cache);
void gosess_cache_unref(struct gosess_cache *cache); /* NULL is fine */

/*
 * The number of a cache in the loaded Go half, opening it there; -1 where that fails, or its store
 * has been cut short. Before each call of the Go half for it.
 */
int gosess_cache_number(struct gosess_cache *cache);

/* Whether the store has its full size, before anything in its mapping is read. A line says if not.
 */
bool gosess_cache_whole(const struct gosess_cache *cache);

/*
 * Zeroes what is over of the secrets of all caches, here and in their stores, and returns in how
 * many seconds to do it again. For a thread of the Go half that is not in it.
 */
int64_t gosess_caches_tidy(void);

/* Frees what a request has had leave the cache. */
void gosess_free_leaving(struct gosess_request *request);

#endif
