/* routes.c - what server names lead to, as the Go half has said. */
#define _GNU_SOURCE
#include "routes.h"

#include <stdlib.h>
#include <string.h>

#include "../base/locks.h"
#include "../ssl/digest.h"

#define WAYS 4 /* places where a name may be */
#define SETS (GOSESS_ROUTES / WAYS)
#define USES_MOST 7

#define NAME_MAX_LENGTH 255 /* of a server name: RFC 1035, section 3.1 */

struct route {
    bool known;
    unsigned char uses; /* since others have wanted its place */
    unsigned char key[GOSESS_DIGEST_SIZE];
    unsigned char terms[GOSESS_DIGEST_SIZE];
    struct gosess_watch watch;
};

struct gosess_routes {
    struct route route[SETS][WAYS]; /* with the lock */
};

struct gosess_routes *gosess_routes_make(void)
{
    return calloc(1, sizeof(struct gosess_routes));
}

void gosess_routes_free(struct gosess_routes *routes)
{
    free(routes);
}

/*
 * What a route is found by: all that the Go half looks at (capi/convert.go, configurationOf). The
 * owner is random, and so nobody can choose names that have the same places.
 */
static bool key_of(const struct gosess_scope *scope, unsigned char key[GOSESS_DIGEST_SIZE])
{
    unsigned char lower[NAME_MAX_LENGTH];
    struct gosess_digest digest;
    if (scope->server_name_length > sizeof lower)
        return false;
    for (size_t i = 0; i < scope->server_name_length; i++) {
        unsigned char letter = (unsigned char)scope->server_name[i];
        lower[i] = letter >= 'A' && letter <= 'Z' ? letter | 0x20 : letter;
    }
    gosess_digest_begin(&digest);
    gosess_digest_add(&digest, scope->owner->random, sizeof scope->owner->random);
    gosess_digest_add(&digest, &scope->generation, sizeof scope->generation);
    gosess_digest_add(&digest, &scope->place, sizeof scope->place);
    gosess_digest_add(&digest, lower, scope->server_name_length);
    return gosess_digest_end(&digest, key);
}

static struct route *set_of(struct gosess_routes *routes, const unsigned char *key)
{
    return routes->route[(key[0] | (size_t)key[1] << 8) % SETS];
}

static bool holds(const struct gosess_watch *watch, int64_t now)
{
    return now <= watch->until &&
           __atomic_load_n(watch->clock, __ATOMIC_RELAXED) - watch->since <= watch->span &&
           __atomic_load_n(watch->word, __ATOMIC_ACQUIRE) == watch->value;
}

static struct route *find(struct route *set, const unsigned char *key)
{
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].known && memcmp(set[i].key, key, GOSESS_DIGEST_SIZE) == 0)
            return &set[i];
    return NULL;
}

bool gosess_routes_find(struct gosess_routes *routes, const struct gosess_scope *scope, int64_t now,
                        unsigned char terms[GOSESS_DIGEST_SIZE])
{
    unsigned char key[GOSESS_DIGEST_SIZE];
    if (!key_of(scope, key))
        return false;
    gosess_lock(GOSESS_LOCK_ROUTES);
    struct route *route = find(set_of(routes, key), key);
    bool good = route && holds(&route->watch, now);
    if (good) {
        memcpy(terms, route->terms, sizeof route->terms);
        route->uses += route->uses < USES_MOST;
    }
    gosess_unlock(GOSESS_LOCK_ROUTES);
    return good;
}

/* A free place, or the one whose name was asked for least; NULL where each was, since others have
 * wanted it. That counts against all of them. */
static struct route *place_for(struct route *set)
{
    struct route *least = &set[0];
    for (size_t i = 1; i < WAYS; i++)
        if (least->known && (!set[i].known || set[i].uses < least->uses))
            least = &set[i];
    if (!least->known || least->uses == 0)
        return least;
    for (size_t i = 0; i < WAYS; i++)
        set[i].uses--;
    return NULL;
}

void gosess_routes_keep(struct gosess_routes *routes, const struct gosess_scope *scope,
                        const unsigned char terms[GOSESS_DIGEST_SIZE],
                        const struct gosess_watch *watch)
{
    unsigned char key[GOSESS_DIGEST_SIZE];
    if (!watch->word || !key_of(scope, key))
        return;
    gosess_lock(GOSESS_LOCK_ROUTES);
    struct route *set = set_of(routes, key), *route = find(set, key);
    if (!route && (route = place_for(set))) {
        *route = (struct route){.known = true};
        memcpy(route->key, key, sizeof key);
    }
    if (route) {
        memcpy(route->terms, terms, sizeof route->terms);
        route->watch = *watch;
    }
    gosess_unlock(GOSESS_LOCK_ROUTES);
}
