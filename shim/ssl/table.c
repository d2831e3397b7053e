/*
 * table.c - finds what gosess keeps of an object of libssl by the object's address.
 *
 * Not by its ex_data: hosts write to slots of it that they never reserved (FreeRADIUS, Qt 5), and a
 * pointer that was read from one could be anything, while one that gosess wrote there would take
 * the place of what the host keeps. An index of ex_data only tells when an object ends
 * (serve/connection.c, serve/attach.c); no slot is ever read or written.
 */
#define _GNU_SOURCE
#include "table.h"

#include <stdatomic.h>

#include "../base/locks.h"

#define BUCKETS 16384 /* 128 KiB that are touched as they are used; a power of 2 */

/* Written with the lock of the bucket. */
static struct gosess_link *_Atomic buckets[BUCKETS];

static size_t bucket_of(const void *object)
{
    uint64_t hash = (uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15); /* Fibonacci hashing */
    return (size_t)(hash >> 32) % BUCKETS;
}

/* Each is that of several buckets. */
static enum gosess_lock lock_of(size_t bucket)
{
    return (enum gosess_lock)(GOSESS_LOCK_TABLE + bucket % GOSESS_TABLE_LOCKS);
}

void gosess_table_add(struct gosess_link *link, enum gosess_kind kind, const void *object)
{
    size_t bucket = bucket_of(object);
    link->kind = kind;
    link->object = object;
    gosess_lock(lock_of(bucket));
    link->next = atomic_load_explicit(&buckets[bucket], memory_order_relaxed);
    atomic_store_explicit(&buckets[bucket], link, memory_order_release);
    gosess_unlock(lock_of(bucket));
}

void gosess_table_remove(struct gosess_link *link)
{
    if (!link->object)
        return;
    size_t bucket = bucket_of(link->object);
    gosess_lock(lock_of(bucket));
    struct gosess_link *at = atomic_load_explicit(&buckets[bucket], memory_order_relaxed);
    if (at == link)
        atomic_store_explicit(&buckets[bucket], link->next, memory_order_release);
    while (at && at != link && at->next != link)
        at = at->next;
    if (at && at != link)
        at->next = link->next;
    gosess_unlock(lock_of(bucket));
    link->object = NULL;
}

static bool any(const struct gosess_link *link)
{
    (void)link;
    return true;
}

/*
 * Most objects that are asked for are not in the table: clients' connections, sessions that are not
 * stored. Of an empty bucket no lock is needed to say so.
 */
struct gosess_link *gosess_table_find_that(enum gosess_kind kind, const void *object,
                                           bool (*that)(const struct gosess_link *))
{
    size_t bucket = bucket_of(object);
    if (!atomic_load_explicit(&buckets[bucket], memory_order_acquire))
        return NULL;
    gosess_lock(lock_of(bucket));
    struct gosess_link *link = atomic_load_explicit(&buckets[bucket], memory_order_relaxed);
    while (link && (link->object != object || link->kind != kind || !that(link)))
        link = link->next;
    gosess_unlock(lock_of(bucket));
    return link;
}

struct gosess_link *gosess_table_find(enum gosess_kind kind, const void *object)
{
    return gosess_table_find_that(kind, object, any);
}
