/*
 * connection.c - what is kept of a connection, by the address of its SSL.
 *
 * Where there is no memory for it, or the SSL was made before gosess came, nothing of a shared
 * store is found for the connection: it could not be noted what it has been given.
 */
#define _GNU_SOURCE
#include "connection.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../core/load.h"
#include "../ssl/libssl.h"
#include "put.h"
#include "tally.h"

struct gosess_connection *gosess_connection_of(const SSL *ssl)
{
    struct gosess_link *link = ssl ? gosess_table_find(GOSESS_KIND_SSL, ssl) : NULL;
    return link ? GOSESS_HOLDER(link, gosess_connection, by_ssl) : NULL;
}

struct gosess_connection *gosess_connection_make(SSL *ssl, struct gosess_context *first)
{
    struct gosess_connection *connection = gosess_connection_of(ssl);
    if (connection)
        return connection;
    /* Not calloc(3), which passes the cache over that glibc's malloc has for each thread. */
    connection = atomic_load(&first->ending) ? NULL : malloc(sizeof *connection);
    if (!connection)
        return NULL;
    if (gosess_ssl->SSL_CTX_up_ref(first->ctx) != 1) {
        free(connection);
        return NULL;
    }
    *connection = (struct gosess_connection){.ssl = ssl, .first = first};
    atomic_init(&connection->references, INT_MAX / 2); /* nobody has counted: none is the last */
    connection->generation = gosess_generation();
    connection->purpose = atomic_load(&first->observed.purpose);
    connection->trust = atomic_load(&first->observed.trust);
    connection->groups = atomic_load(&first->observed.groups);
    gosess_table_add(&connection->by_ssl, GOSESS_KIND_SSL, ssl);
    return connection;
}

struct gosess_connection *gosess_connection_begin(SSL *ssl, struct gosess_context *first)
{
    struct gosess_connection *connection = gosess_connection_make(ssl, first);
    if (!connection)
        return NULL;
    connection->from_birth = true;
    atomic_store(&connection->references, 1);
    return connection;
}

void gosess_connection_copied(SSL *copy, const SSL *original)
{
    const struct gosess_connection *from = gosess_connection_of(original);
    struct gosess_connection *connection = gosess_connection_of(copy);
    if (!connection)
        return; /* one that is made later was not seen from birth */
    if (copy == original) {
        atomic_fetch_add(&connection->references, 1);
        return;
    }
    connection->from_birth =
        connection->from_birth && from && from->from_birth && from->first == connection->first &&
        from->purpose == connection->purpose && from->trust == connection->trust;
    if (from) {
        connection->chooses |= from->chooses;
        connection->identifies |= from->identifies;
        connection->ruled |= from->ruled;
    }
}

struct gosess_context *gosess_first_of(const SSL *ssl, const struct gosess_connection *connection)
{
    return connection ? connection->first : gosess_context_of(gosess_ssl->SSL_get_SSL_CTX(ssl));
}

/* --- the session that it resumes --- */

void gosess_connection_resumes(struct gosess_connection *connection, const SSL_SESSION *session)
{
    gosess_table_remove(&connection->by_session);
    if (session)
        gosess_table_add(&connection->by_session, GOSESS_KIND_SESSION, session);
}

/*
 * Up to TLS 1.2 a client that resumes shows with its Finished, the last message, that it knows the
 * secret; in TLS 1.3 with its binder, before libssl counts the session as resumed. SSL_in_init(3)
 * says less: it is true after a fatal alert too. Nobody frees the SSL meanwhile: its end takes the
 * link out first, which waits for us.
 */
static bool is_unproven(const struct gosess_link *link)
{
    const SSL *ssl = GOSESS_HOLDER(link, gosess_connection, by_session)->ssl;
    return gosess_ssl->SSL_session_reused(ssl) && gosess_ssl->SSL_version(ssl) != TLS1_3_VERSION &&
           gosess_ssl->SSL_get_state(ssl) != TLS_ST_OK;
}

bool gosess_is_unproven(const SSL_SESSION *session)
{
    return gosess_table_find_that(GOSESS_KIND_SESSION, session, is_unproven) != NULL;
}

/* --- its handshakes and its end --- */

void gosess_release(struct gosess_connection *connection, bool unproven)
{
    struct gosess_scope scope;
    int64_t ends;
    /* The context may have been given back meanwhile: gosess_cache_detach. */
    SSL_SESSION *taken = unproven && connection->first->cache && gosess_core_ready()
                             ? gosess_claim_scope(&connection->given, &scope, &ends)
                             : NULL;
    if (taken)
        gosess_put(connection->first, taken, &scope, ends, false);
    gosess_claim_forget(&connection->given);
}

/*
 * A handshake asks once more after a HelloRetryRequest, with the random that it has (RFC 8446,
 * section 4.1.2), and may have again what it has taken. Any other handshake begins anew: an SSL
 * may have been cleared.
 */
void gosess_connection_asks(struct gosess_connection *connection)
{
    const unsigned char *random = NULL;
    bool known = gosess_ssl->SSL_client_hello_get0_random(connection->ssl, &random) ==
                 sizeof connection->random;
    bool again = known && connection->asked &&
                 memcmp(random, connection->random, sizeof connection->random) == 0;
    if (!again) {
        connection->given.fate = GOSESS_FATE_NONE;
        gosess_release(connection, false);
    }
    connection->asked = known;
    if (known)
        memcpy(connection->random, random, sizeof connection->random);
    connection->generation = gosess_generation();
    connection->given.ends = 0;
    connection->given.bound = connection->given.private = false;
    gosess_connection_resumes(connection, NULL);
}

bool gosess_connection_has_asked(const struct gosess_connection *connection)
{
    unsigned char random[sizeof connection->random];
    return connection->asked &&
           gosess_ssl->SSL_get_client_random(connection->ssl, random, sizeof random) ==
               sizeof random &&
           memcmp(random, connection->random, sizeof random) == 0;
}

/*
 * The handshake that has taken a session is the one that the SSL is in, and it does not resume:
 * libssl has refused the client's binder, or the session. Of another handshake nothing is known.
 */
static void settle(struct gosess_connection *connection)
{
    if (connection->given.claim && !gosess_ssl->SSL_session_reused(connection->ssl) &&
        gosess_connection_has_asked(connection))
        gosess_release(connection, true);
}

void gosess_connection_unref(struct gosess_connection *connection)
{
    if (atomic_fetch_sub(&connection->references, 1) == 1)
        settle(connection);
}

static void end(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)value, (void)data, (void)index, (void)argl, (void)argp;
    struct gosess_connection *connection = gosess_connection_of(parent);
    if (!connection)
        return;
    gosess_table_remove(&connection->by_session);
    gosess_table_remove(&connection->by_ssl);
    gosess_tally_offered(connection->first, parent, &connection->given);
    gosess_release(connection, false);
    SSL_CTX *first = connection->first->ctx;
    free(connection);
    gosess_ssl->SSL_CTX_free(first); /* its end, if nobody else has one any more */
}

bool gosess_connection_prepare(const struct gosess_libssl *table)
{
    return table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, end) >= 0;
}
