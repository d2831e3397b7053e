/* secrets.c - the secrets of tickets that a process has of one cache, and what is derived of them.
 */
#define _GNU_SOURCE
#include "secrets.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/locks.h"
#include "../ssl/digest.h"

/* Keys that were derived last: of a few secrets, for as many identities as servers mostly have. */
#define DERIVED 256 /* a power of 2 */
/* So long nobody else asks for what one thread has begun to ask for, or could not have. */
#define PATIENCE 60

struct held {
    struct gosess_secret secret; /* none where it ends at 0 */
    unsigned char id[GOSESS_SECRET_ID_SIZE];
};

struct derived {
    unsigned char id[GOSESS_SECRET_ID_SIZE];
    unsigned char identity[GOSESS_DIGEST_SIZE];
    struct gosess_ticket_keys keys;
    bool known;
};

struct gosess_secrets {
    _Atomic int64_t due;                  /* when they are to be asked for again; 0: not yet */
    struct held held[GOSESS_SECRETS_MAX]; /* with the lock, as all that follows */
    struct derived derived[DERIVED];
};

struct gosess_secrets *gosess_secrets_make(void)
{
    struct gosess_secrets *secrets =
        mmap(NULL, sizeof *secrets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secrets == MAP_FAILED)
        return NULL;
    madvise(secrets, sizeof *secrets, MADV_DONTDUMP);
    mlock(secrets, sizeof *secrets); /* best effort, as for the sealing keys */
    return secrets;
}

void gosess_secrets_free(struct gosess_secrets *secrets)
{
    if (!secrets)
        return;
    explicit_bzero(secrets, sizeof *secrets);
    munmap(secrets, sizeof *secrets);
}

bool gosess_secrets_asked(const struct gosess_secrets *secrets)
{
    return atomic_load(&secrets->due) != 0;
}

bool gosess_secrets_due(struct gosess_secrets *secrets, int64_t now)
{
    int64_t due = atomic_load(&secrets->due);
    return now >= due && atomic_compare_exchange_strong(&secrets->due, &due, now + PATIENCE);
}

/* --- with the lock --- */

static bool lives(const struct held *held, int64_t now)
{
    return held->secret.ends >= now;
}

static struct held *find(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char id[GOSESS_SECRET_ID_SIZE])
{
    for (size_t i = 0; i < GOSESS_SECRETS_MAX; i++) {
        struct held *held = &secrets->held[i];
        if (lives(held, now) && memcmp(held->id, id, GOSESS_SECRET_ID_SIZE) == 0)
            return held;
    }
    return NULL;
}

static struct held *current(struct gosess_secrets *secrets, int64_t now)
{
    for (size_t i = 0; i < GOSESS_SECRETS_MAX; i++) {
        struct held *held = &secrets->held[i];
        if (lives(held, now) && held->secret.seals && held->secret.begins <= now &&
            now < held->secret.next)
            return held;
    }
    return NULL;
}

static struct derived *place_of(struct gosess_secrets *secrets, const unsigned char *id,
                                const unsigned char *identity)
{
    uint64_t sum = gosess_fnv(GOSESS_FNV_START, id, GOSESS_SECRET_ID_SIZE);
    return &secrets->derived[gosess_fnv(sum, identity, GOSESS_DIGEST_SIZE) & (DERIVED - 1)];
}

static void forget(struct gosess_secrets *secrets, struct held *held)
{
    for (size_t i = 0; i < DERIVED; i++) {
        struct derived *derived = &secrets->derived[i];
        if (derived->known && memcmp(derived->id, held->id, sizeof held->id) == 0)
            explicit_bzero(derived, sizeof *derived);
    }
    explicit_bzero(held, sizeof *held);
}

static void keep(struct gosess_secrets *secrets, const struct gosess_secret *secret, int64_t now)
{
    unsigned char id[GOSESS_SECRET_ID_SIZE];
    if (!gosess_secret_id(secret->value, id))
        return;
    struct held *held = find(secrets, now, id);
    for (size_t i = 0; !held && i < GOSESS_SECRETS_MAX; i++)
        if (!lives(&secrets->held[i], now))
            held = &secrets->held[i];
    if (held) {
        held->secret = *secret;
        memcpy(held->id, id, sizeof id);
    }
}

/* --- */

void gosess_secrets_set(struct gosess_secrets *secrets, const struct gosess_wanted *wanted,
                        bool complete, int64_t now)
{
    int64_t due = now + PATIENCE;
    gosess_lock(GOSESS_LOCK_SECRETS);
    for (size_t i = 0; i < GOSESS_SECRETS_MAX; i++)
        if (secrets->held[i].secret.ends > 0 && !lives(&secrets->held[i], now))
            forget(secrets, &secrets->held[i]);
    for (unsigned i = 0; i < wanted->count && i < GOSESS_SECRETS_MAX; i++)
        keep(secrets, &wanted->secrets[i], now);
    const struct held *held = current(secrets, now);
    if (complete && held)
        due = held->secret.next;
    gosess_unlock(GOSESS_LOCK_SECRETS);
    atomic_store(&secrets->due, due);
}

bool gosess_secrets_know(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char id[GOSESS_SECRET_ID_SIZE])
{
    gosess_lock(GOSESS_LOCK_SECRETS);
    bool known = find(secrets, now, id) != NULL;
    gosess_unlock(GOSESS_LOCK_SECRETS);
    return known;
}

/* Of the secret of an id, or of the current one where there is no id. */
static bool keys_of(struct gosess_secrets *secrets, int64_t now, const unsigned char *id,
                    const unsigned char identity[GOSESS_DIGEST_SIZE],
                    struct gosess_secret_found *found, struct gosess_ticket_keys *keys)
{
    gosess_lock(GOSESS_LOCK_SECRETS);
    const struct held *now_sealing = current(secrets, now);
    const struct held *held = id ? find(secrets, now, id) : now_sealing;
    bool ok = held != NULL;
    if (ok) {
        struct derived *derived = place_of(secrets, held->id, identity);
        *found = (struct gosess_secret_found){.current = held == now_sealing};
        memcpy(found->id, held->id, sizeof found->id);
        if (!derived->known || memcmp(derived->id, held->id, sizeof derived->id) != 0 ||
            memcmp(derived->identity, identity, GOSESS_DIGEST_SIZE) != 0) {
            ok = gosess_ticket_keys_derive(held->secret.value, identity, &derived->keys);
            memcpy(derived->id, held->id, sizeof derived->id);
            memcpy(derived->identity, identity, GOSESS_DIGEST_SIZE);
            derived->known = ok;
        }
        if (ok)
            *keys = derived->keys;
    }
    gosess_unlock(GOSESS_LOCK_SECRETS);
    return ok;
}

bool gosess_secrets_seal(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char identity[GOSESS_DIGEST_SIZE],
                         struct gosess_secret_found *found, struct gosess_ticket_keys *keys)
{
    return keys_of(secrets, now, NULL, identity, found, keys);
}

bool gosess_secrets_open(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char id[GOSESS_SECRET_ID_SIZE],
                         const unsigned char identity[GOSESS_DIGEST_SIZE],
                         struct gosess_secret_found *found, struct gosess_ticket_keys *keys)
{
    return keys_of(secrets, now, id, identity, found, keys);
}
