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
/* No secret is kept for more seconds after its period: Longest of sessioncache/tickets. */
#define LONGEST (24 * 3600)

struct held {
    struct gosess_secret secret; /* none where it ends at 0 */
    int64_t stored; /* until when the store keeps it, and counts what is done with it */
    unsigned char id[GOSESS_SECRET_ID_SIZE];
};

struct derived {
    unsigned char id[GOSESS_SECRET_ID_SIZE];
    unsigned char identity[GOSESS_DIGEST_SIZE];
    struct gosess_ticket_keys keys;
    bool known;
};

struct gosess_secrets {
    atomic_bool asking;       /* a thread is, and none knows the answer yet */
    _Atomic int64_t due;      /* when they are to be asked for again; 0: not yet */
    _Atomic int64_t next_end; /* the first one ends no earlier; 0: there is none */
    _Atomic int64_t keep;     /* for how long tickets are used, when they were asked for */
    unsigned used;            /* so many places of held; with the lock, as what follows */
    struct held held[GOSESS_SECRETS_MAX];
    struct derived derived[DERIVED];
};

struct gosess_secrets *gosess_secrets_make(void)
{
    struct gosess_secrets *secrets =
        mmap(NULL, sizeof *secrets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secrets == MAP_FAILED)
        return NULL;
    madvise(secrets, sizeof *secrets, MADV_DONTDUMP);
    gosess_secrets_lock(secrets);
    return secrets;
}

/* Best effort, as for the sealing keys. */
bool gosess_secrets_lock(struct gosess_secrets *secrets)
{
    return !secrets || mlock(secrets, sizeof *secrets) == 0;
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

/* --- with the lock --- */

static bool lives(const struct held *held, int64_t now)
{
    return held->secret.ends >= now;
}

static struct held *find(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char id[GOSESS_SECRET_ID_SIZE])
{
    for (unsigned i = 0; i < secrets->used; i++) {
        struct held *held = &secrets->held[i];
        if (lives(held, now) && memcmp(held->id, id, GOSESS_SECRET_ID_SIZE) == 0)
            return held;
    }
    return NULL;
}

static struct held *current(struct gosess_secrets *secrets, int64_t now)
{
    for (unsigned i = 0; i < secrets->used; i++) {
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

static void expire(struct gosess_secrets *secrets, int64_t now)
{
    int64_t next = 0;
    unsigned last = 0;
    for (unsigned i = 0; i < secrets->used; i++) {
        struct held *held = &secrets->held[i];
        if (held->secret.ends > 0 && !lives(held, now))
            forget(secrets, held);
        if (held->secret.ends == 0)
            continue;
        last = i + 1;
        if (next == 0 || held->secret.ends < next)
            next = held->secret.ends;
    }
    secrets->used = last;
    atomic_store(&secrets->next_end, next);
}

static void keep_until(struct held *held, int64_t until)
{
    int64_t latest = held->secret.next + LONGEST;
    until = until < latest ? until : latest;
    held->secret.ends = until > held->secret.ends ? until : held->secret.ends;
}

static void keep(struct gosess_secrets *secrets, const struct gosess_secret *secret, int64_t now)
{
    unsigned char id[GOSESS_SECRET_ID_SIZE];
    if (!gosess_secret_id(secret->value, id))
        return;
    struct held *held = find(secrets, now, id);
    for (unsigned i = 0; !held && i < GOSESS_SECRETS_MAX; i++) {
        if (i < secrets->used && lives(&secrets->held[i], now))
            continue;
        held = &secrets->held[i];
        secrets->used = i < secrets->used ? secrets->used : i + 1;
    }
    if (held) {
        int64_t before = held->secret.ends;
        held->secret = *secret;
        held->stored = secret->ends;
        memcpy(held->id, id, sizeof id);
        keep_until(held, before);
    }
}

/* The keys for an identity of a secret. */
static bool keys_of(struct gosess_secrets *secrets, const struct held *held,
                    const unsigned char identity[GOSESS_DIGEST_SIZE],
                    struct gosess_ticket_keys *keys)
{
    struct derived *derived = place_of(secrets, held->id, identity);
    if (!derived->known || memcmp(derived->id, held->id, sizeof derived->id) != 0 ||
        memcmp(derived->identity, identity, GOSESS_DIGEST_SIZE) != 0) {
        derived->known = gosess_ticket_keys_derive(held->secret.value, identity, &derived->keys);
        memcpy(derived->id, held->id, sizeof derived->id);
        memcpy(derived->identity, identity, GOSESS_DIGEST_SIZE);
    }
    if (derived->known)
        *keys = derived->keys;
    return derived->known;
}

/* The room that the store had for it may be another record's by now. */
static uint64_t *tally_of(const struct held *held, int64_t now)
{
    return held && now <= held->stored ? held->secret.tally : NULL;
}

/* --- */

static bool has_current(struct gosess_secrets *secrets, int64_t now)
{
    gosess_lock(GOSESS_LOCK_SECRETS);
    bool has = current(secrets, now) != NULL;
    gosess_unlock(GOSESS_LOCK_SECRETS);
    return has;
}

bool gosess_secrets_due(struct gosess_secrets *secrets, int64_t now, int64_t period, int64_t keep)
{
    int64_t due = atomic_load(&secrets->due);
    bool set_back = due - now > period, longer = keep > atomic_load(&secrets->keep);
    bool passed = now >= due || set_back || longer;
    if (passed && atomic_compare_exchange_strong(&secrets->due, &due, now + PATIENCE)) {
        if (longer)
            atomic_store(&secrets->keep, keep); /* whatever the answer is */
        atomic_store(&secrets->asking, true);
        return true;
    }
    return (passed || atomic_load(&secrets->asking)) && !has_current(secrets, now);
}

void gosess_secrets_answered(struct gosess_secrets *secrets)
{
    atomic_store(&secrets->asking, false);
}

void gosess_secrets_set(struct gosess_secrets *secrets, const struct gosess_wanted *wanted,
                        bool complete, int64_t now, int64_t good_for)
{
    int64_t due = now + PATIENCE;
    gosess_lock(GOSESS_LOCK_SECRETS);
    expire(secrets, now);
    const struct held *before = current(secrets, now);
    for (unsigned i = 0; complete && i < secrets->used; i++)
        secrets->held[i].secret.seals = false; /* what a store has lost nobody else has */
    for (unsigned i = 0; i < wanted->count && i < GOSESS_SECRETS_MAX; i++)
        keep(secrets, &wanted->secrets[i], now);
    expire(secrets, now);
    const struct held *held = current(secrets, now);
    bool replaced = before && before != held;
    atomic_store(&secrets->keep, wanted->keep);
    if (complete && held && (replaced || held->secret.next - now < good_for))
        due = held->secret.next;
    else if (complete && held)
        due = now + good_for;
    gosess_unlock(GOSESS_LOCK_SECRETS);
    atomic_store(&secrets->due, due);
}

int64_t gosess_secrets_expire(struct gosess_secrets *secrets, int64_t now)
{
    int64_t next = atomic_load(&secrets->next_end);
    if (next == 0 || now <= next)
        return next;
    gosess_lock(GOSESS_LOCK_SECRETS);
    expire(secrets, now);
    gosess_unlock(GOSESS_LOCK_SECRETS);
    return atomic_load(&secrets->next_end);
}

uint64_t *gosess_secrets_tally(struct gosess_secrets *secrets, int64_t now,
                               const unsigned char id[GOSESS_SECRET_ID_SIZE])
{
    gosess_lock(GOSESS_LOCK_SECRETS);
    uint64_t *tally = tally_of(find(secrets, now, id), now);
    gosess_unlock(GOSESS_LOCK_SECRETS);
    return tally;
}

void gosess_secrets_forget(struct gosess_secrets *secrets)
{
    gosess_lock(GOSESS_LOCK_SECRETS);
    for (unsigned i = 0; i < secrets->used; i++)
        if (secrets->held[i].secret.ends > 0)
            forget(secrets, &secrets->held[i]);
    atomic_store(&secrets->next_end, 0);
    gosess_unlock(GOSESS_LOCK_SECRETS);
    if (gosess_secrets_asked(secrets))
        atomic_store(&secrets->due, 1);
}

bool gosess_secrets_know(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char id[GOSESS_SECRET_ID_SIZE])
{
    gosess_lock(GOSESS_LOCK_SECRETS);
    bool known = find(secrets, now, id) != NULL;
    gosess_unlock(GOSESS_LOCK_SECRETS);
    return known;
}

bool gosess_secrets_seal(struct gosess_secrets *secrets, int64_t now, int64_t until,
                         const unsigned char identity[GOSESS_DIGEST_SIZE],
                         unsigned char id[GOSESS_SECRET_ID_SIZE], struct gosess_ticket_keys *keys,
                         uint64_t **tally)
{
    gosess_lock(GOSESS_LOCK_SECRETS);
    struct held *held = current(secrets, now);
    bool ok = held && keys_of(secrets, held, identity, keys);
    if (ok) {
        memcpy(id, held->id, sizeof held->id);
        keep_until(held, until);
        *tally = tally_of(held, now);
    }
    gosess_unlock(GOSESS_LOCK_SECRETS);
    return ok;
}

bool gosess_secrets_open(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char id[GOSESS_SECRET_ID_SIZE],
                         const unsigned char identity[GOSESS_DIGEST_SIZE],
                         struct gosess_ticket_keys *keys, int64_t *begins)
{
    gosess_lock(GOSESS_LOCK_SECRETS);
    const struct held *held = find(secrets, now, id);
    bool ok = held && keys_of(secrets, held, identity, keys);
    if (ok)
        *begins = held->secret.begins;
    gosess_unlock(GOSESS_LOCK_SECRETS);
    return ok;
}
