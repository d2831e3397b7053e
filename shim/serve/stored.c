/*
 * stored.c - the objects that stand for what a shared store has, by their address.
 *
 * libssl's cache has one object of a session, and what a host changes of that is changed for all.
 * Of a copy (SSL_SESSION_dup(3)), or of the object of a client in the same process, it is not,
 * although these have the same id.
 */
#define _GNU_SOURCE
#include "stored.h"

#include <stdlib.h>

#include "../ssl/libssl.h"
#include "../ssl/table.h"

bool gosess_is_stored(const SSL_SESSION *session)
{
    return gosess_table_find(GOSESS_KIND_STORED, session) != NULL;
}

bool gosess_mark_stored(const SSL_SESSION *session)
{
    if (gosess_is_stored(session))
        return true;
    struct gosess_link *link = malloc(sizeof *link); /* connection.c says why not calloc(3) */
    if (link)
        gosess_table_add(link, GOSESS_KIND_STORED, session);
    return link;
}

/* The end of a session, which two threads may have noted at the same moment. */
static void end(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)value, (void)data, (void)index, (void)argl, (void)argp;
    struct gosess_link *link;
    while ((link = gosess_table_find(GOSESS_KIND_STORED, parent))) {
        gosess_table_remove(link);
        free(link);
    }
}

/* What a host writes to a slot that it has not reserved is not copied with a session (table.c). */
static int copy_nothing(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **value, int index,
                        long argl, void *argp)
{
    (void)to, (void)from, (void)index, (void)argl, (void)argp;
    *value = NULL;
    return 1;
}

bool gosess_stored_prepare(const struct gosess_libssl *table)
{
    return table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, NULL, copy_nothing,
                                          end) >= 0;
}
