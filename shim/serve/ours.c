/*
 * ours.c - tickets that gosess seals, and opens.
 *
 * What is known of a session from the shared store is known of a ticket: under which terms and for
 * which server name it was made, and when the first session ends that it goes back to. The terms
 * are in its key, the rest in its name (tickets/name.h).
 */
#define _GNU_SOURCE
#include "ours.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/log.h"
#include "../config/environment.h"
#include "../ssl/digest.h"
#include "../ssl/libssl.h"
#include "../tickets/name.h"
#include "call.h"
#include "claim.h"
#include "tally.h"
#include "terms.h"
#include "theirs.h"

/* --- secrets --- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* libssl gives a session that of its protocol where its context has none (ssl_sess.c). */
static int64_t timeout_of(const struct gosess_connection *connection)
{
    int64_t timeout = gosess_ssl->SSL_CTX_get_timeout(connection->first->ctx);
    if (timeout == 0)
        timeout = gosess_ssl->SSL_get_default_timeout(connection->ssl);
    return timeout > 0 ? earlier(timeout, UINT32_MAX) : 0;
}

/* So many seconds a machine of a fleet goes on with a secret that others may not have. */
#define ALONE 1

/*
 * Asks the Go half for the secrets that there are by now. One that this machine has made while it
 * could not ask the far store may not be that of the others: then the agent puts theirs in its
 * place, in the near store, as soon as it can, and whoever looks again finds it.
 */
static void ask_secrets(const struct gosess_connection *connection, struct gosess_secrets *secrets,
                        int64_t now)
{
    struct gosess_wanted *wanted = calloc(1, sizeof *wanted);
    if (!wanted)
        return;
    int64_t of_protocol = gosess_ssl->SSL_get_default_timeout(connection->ssl);
    int64_t longest = gosess_longest_timeout(connection->first->cache, of_protocol);
    int64_t own = timeout_of(connection); /* of a context whose certificate a callback brings */
    wanted->now = now;
    wanted->period = gosess_ticket_period;
    wanted->keep = own > longest ? own : longest;
    struct gosess_request request = {.operation = GOSESS_SECRETS, .wanted = wanted};
    if (gosess_ssl->RAND_bytes(wanted->fresh[0], sizeof wanted->fresh) == 1 &&
        gosess_ask(connection->first, &request))
        gosess_secrets_set(secrets, wanted, request.result == 1, now,
                           connection->first->cache->store.window ? ALONE : INT64_MAX);
    gosess_ssl->OPENSSL_cleanse(wanted, sizeof *wanted);
    free(wanted);
}

/*
 * One thread asks, once a period, in a fleet each second, and those that cannot do without the
 * answer do so too. For the first time all others wait, as they do for the Go half. Where there is
 * none, a child has what its parent had.
 */
static struct gosess_secrets *secrets_of(const struct gosess_connection *connection, int64_t now)
{
    struct gosess_cache *cache = connection->first->cache;
    struct gosess_secrets *secrets = cache ? cache->secrets : NULL;
    if (!secrets || gosess_is_given_back()) {
        if (secrets)
            gosess_secrets_expire(secrets, now); /* here nobody else does */
        return secrets;
    }
    if (!gosess_secrets_asked(secrets) && gosess_once_begin(&cache->secrets_asked)) {
        ask_secrets(connection, secrets, now);
        gosess_once_end(&cache->secrets_asked, true);
    } else if (gosess_secrets_due(secrets, now, gosess_ticket_period, timeout_of(connection))) {
        ask_secrets(connection, secrets, now);
        gosess_secrets_answered(secrets);
    }
    gosess_tally_prepare(connection->first);
    return secrets;
}

/*
 * Whose keys a ticket is sealed with: those of the terms. Up to TLS 1.2 libssl resumes with the
 * session's cipher, although its own list may have that no more, so the list is bound too: that of
 * the first context, as the connection may be switched to another one later.
 */
static bool identify(const struct gosess_connection *connection, const unsigned char *terms,
                     unsigned char identity[GOSESS_DIGEST_SIZE])
{
    const OPENSSL_STACK *list =
        (const OPENSSL_STACK *)gosess_ssl->SSL_CTX_get_ciphers(connection->first->ctx);
    struct gosess_digest digest;
    if (gosess_ssl->SSL_version(connection->ssl) == TLS1_3_VERSION) {
        memcpy(identity, terms, GOSESS_DIGEST_SIZE);
        return true;
    }
    gosess_digest_begin(&digest);
    gosess_digest_add(&digest, terms, GOSESS_DIGEST_SIZE);
    for (int i = 0; list && i < gosess_ssl->OPENSSL_sk_num(list); i++) {
        uint32_t id = gosess_ssl->SSL_CIPHER_get_id(gosess_ssl->OPENSSL_sk_value(list, i));
        gosess_digest_add(&digest, &id, sizeof id);
    }
    return gosess_digest_end(&digest, identity);
}

/* --- what a server name leads to --- */

/* As this process knows it already. */
static bool find_route(const struct gosess_connection *connection, const struct gosess_scope *scope,
                       int64_t now, unsigned char terms[GOSESS_DIGEST_SIZE])
{
    const struct gosess_cache *cache = connection->first->cache;
    return cache && cache->routes && gosess_cache_whole(cache) &&
           gosess_routes_find(cache->routes, scope, now, terms);
}

static bool ask_route(const struct gosess_connection *connection, const struct gosess_scope *scope,
                      unsigned char terms[GOSESS_DIGEST_SIZE])
{
    const struct gosess_cache *cache = connection->first->cache;
    struct gosess_request route = {.operation = GOSESS_ROUTE, .scope = scope};
    if (!gosess_ask(connection->first, &route) || route.result != 1)
        return false;
    memcpy(terms, route.terms, sizeof route.terms);
    if (cache && cache->routes)
        gosess_routes_keep(cache->routes, scope, terms, &route.watch);
    return true;
}

/* --- sealing --- */

/*
 * When all tickets are over that follow from a connection's: with the session that it resumes, or
 * the timeout after a full handshake. Up to TLS 1.2 they have the secret of the first one, so that
 * an attacker with a ticket's key reads all that was said under it: no more than two periods of
 * that (RFC 9325, section 3.4).
 */
static int64_t end_of_chain(const struct gosess_connection *connection, bool resumed, int64_t now)
{
    SSL *ssl = connection->ssl;
    int64_t ends = resumed ? connection->given.ends : now + timeout_of(connection);
    /* In TLS 1.3 a client may have shown another certificate since. */
    ends = earlier(ends, gosess_client_ends(ssl, gosess_ssl->SSL_get_session(ssl)));
    if (gosess_ssl->SSL_version(ssl) != TLS1_3_VERSION)
        ends = earlier(ends, now + 2 * gosess_ticket_period);
    return ends;
}

/*
 * Whether what the connection's server name has led to is what it will be asked for by: else our
 * ticket would be refused, where the context's own key is not.
 */
static bool is_known_to_lead(struct gosess_connection *connection, const unsigned char *terms,
                             int64_t now)
{
    struct gosess_scope scope;
    unsigned char led[GOSESS_DIGEST_SIZE];
    struct gosess_request learn = {.operation = GOSESS_LEARN, .scope = &scope};
    if (!gosess_scope_led(connection, &scope))
        return false;
    if (find_route(connection, &scope, now, led) && memcmp(led, terms, sizeof led) == 0)
        return true;
    return gosess_ask(connection->first, &learn) && ask_route(connection, &scope, led) &&
           memcmp(led, terms, sizeof led) == 0;
}

/* TLS 1.3 alone has early data (RFC 8446, section 2.3). */
static bool takes_early_data(const SSL *ssl)
{
    return gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION &&
           gosess_ssl->SSL_get_max_early_data(ssl) > 0;
}

/*
 * Whether libssl would resume a session at all. Where it fails the handshake instead (T29), a
 * context that cannot open the ticket is spared that: so this one is not for others. The mode that
 * is asked for then is that of the first context, or of the one that the connection was switched to
 * by now.
 */
static bool is_resumable(const struct gosess_connection *connection, const SSL_SESSION *session)
{
    unsigned int length = 0;
    int modes = gosess_ssl->SSL_CTX_get_verify_mode(connection->first->ctx) |
                gosess_ssl->SSL_get_verify_mode(connection->ssl);
    gosess_ssl->SSL_SESSION_get0_id_context(session, &length);
    return length > 0 || !(modes & SSL_VERIFY_PEER);
}

/* Whether a ticket has data of the host's, and it is not known what reads that. */
static bool has_strange_data(const struct gosess_context *first, SSL_SESSION *session)
{
    void *data = NULL;
    size_t length = 0;
    return !atomic_load(&first->tickets.data) &&
           gosess_ssl->SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1 && length > 0;
}

/*
 * Under which terms a connection may be given a ticket of ours. What follows from a session that
 * was not shared is not; nor is a ticket that brings early data with it, which each machine
 * that can open it takes once (T10). Up to TLS 1.2 a session may be bound to a name that libssl
 * does not keep with it, so that a ticket which follows from it would not be.
 */
static bool may_seal(struct gosess_connection *connection, struct gosess_scope *scope, int64_t now)
{
    SSL *ssl = connection->ssl;
    const struct gosess_given *given = &connection->given;
    struct gosess_context *first = connection->first;
    if ((gosess_ticket_has_theirs(first) && !gosess_tickets_override) || first->own_algorithms ||
        !gosess_ssl->SSL_is_server(ssl) || takes_early_data(ssl))
        return false;
    SSL_SESSION *session = gosess_ssl->SSL_get_session(ssl);
    if (!session || !is_resumable(connection, session) || has_strange_data(first, session))
        return false;
    gosess_scope_made(connection, session, scope);
    if (!scope->known || scope->own != 0)
        return false;
    if (scope->resumed)
        return given->bound && given->ends > 0 && gosess_connection_has_asked(connection) &&
               (scope->server_name || gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION) &&
               memcmp(scope->terms, given->terms, sizeof scope->terms) == 0;
    return !connection->late || is_known_to_lead(connection, scope->terms, now);
}

static bool seal(struct gosess_connection *connection, unsigned char *name, unsigned char *iv,
                 const struct gosess_cipher *to, uint64_t **tally)
{
    struct gosess_scope scope;
    struct gosess_ticket_keys keys;
    unsigned char identity[GOSESS_DIGEST_SIZE];
    int64_t now = (int64_t)time(NULL);
    struct gosess_secrets *secrets = secrets_of(connection, now);
    if (!secrets || !may_seal(connection, &scope, now) ||
        !identify(connection, scope.terms, identity))
        return false;
    int64_t ends = end_of_chain(connection, scope.resumed, now);
    if (!gosess_secrets_seal(secrets, now, ends, identity, name, &keys, tally))
        return false;
    struct gosess_ticket_says says = {.ends = (uint32_t)earlier(ends, UINT32_MAX)};
    bool ok =
        ends > 0 && gosess_ssl->RAND_bytes(iv, GOSESS_TICKET_IV_SIZE) == 1 &&
        gosess_server_tag(&keys, scope.server_name, scope.server_name_length, &says.server_tag) &&
        gosess_ticket_name_write(&keys, iv, &says, name) &&
        gosess_cipher_set(to, keys.aes, keys.hmac, iv, true);
    explicit_bzero(&keys, sizeof keys);
    return ok;
}

int gosess_ticket_seal(struct gosess_connection *connection, unsigned char *name, unsigned char *iv,
                       const struct gosess_cipher *to)
{
    gosess_ssl->ERR_set_mark();
    uint64_t *tally = NULL;
    bool ours = seal(connection, name, iv, to, &tally);
    gosess_tally_sealed(connection->first, connection->ssl, &connection->given, ours, tally);
    gosess_ssl->ERR_pop_to_mark();
    return ours ? GOSESS_TICKET_USED : GOSESS_NOT_OURS;
}

/* --- opening --- */

/* Under which terms a full handshake would be now, as for a session from the store. */
static bool ask_terms(struct gosess_connection *connection, struct gosess_scope *scope, int64_t now)
{
    if (!gosess_scope_asked(connection, scope) || scope->own != 0)
        return false;
    if (!scope->routed)
        return scope->known;
    return find_route(connection, scope, now, scope->terms) ||
           ask_route(connection, scope, scope->terms);
}

/*
 * What is in the name of a ticket under other terms is noise, which ends at any time: no chain ends
 * before its secret's period has begun, by anybody's clock.
 */
static bool is_over(const struct gosess_ticket_says *says, int64_t now, int64_t begins)
{
    return now > (int64_t)says->ends && says->ends >= begins - GOSESS_APART;
}

static int open_with(struct gosess_connection *connection, const struct gosess_scope *scope,
                     const struct gosess_ticket_keys *keys, const unsigned char *name,
                     const unsigned char *iv, int64_t now, int64_t begins,
                     const struct gosess_cipher *to)
{
    struct gosess_given *given = &connection->given;
    struct gosess_ticket_says says;
    uint32_t asked;
    given->fate = GOSESS_FATE_REFUSED;
    if (!gosess_ticket_name_read(keys, iv, name, &says) ||
        !gosess_server_tag(keys, scope->server_name, scope->server_name_length, &asked) ||
        (asked && says.server_tag && asked != says.server_tag))
        return GOSESS_TICKET_REFUSED;
    if (is_over(&says, now, begins))
        given->fate = GOSESS_FATE_ENDED;
    if (now > (int64_t)says.ends || !gosess_cipher_set(to, keys->aes, keys->hmac, iv, false))
        return GOSESS_TICKET_REFUSED;
    given->fate = GOSESS_FATE_OPENED;
    memcpy(given->secret, name, sizeof given->secret);
    given->bound = true;
    given->ends = says.ends;
    given->timeout = -1;
    memcpy(given->terms, scope->terms, sizeof given->terms);
    /* Up to TLS 1.2 a secret is kept for as long as the session lasts. */
    return gosess_ssl->SSL_version(connection->ssl) == TLS1_3_VERSION ? GOSESS_TICKET_RENEWED
                                                                      : GOSESS_TICKET_USED;
}

int gosess_ticket_open(struct gosess_connection *connection, const unsigned char *name,
                       const unsigned char *iv, const struct gosess_cipher *to)
{
    struct gosess_scope scope;
    struct gosess_ticket_keys keys;
    unsigned char identity[GOSESS_DIGEST_SIZE];
    int64_t now = (int64_t)time(NULL), begins;
    int status = GOSESS_TICKET_REFUSED;
    gosess_connection_asks(connection);
    gosess_ssl->ERR_set_mark();
    struct gosess_secrets *secrets = secrets_of(connection, now);
    if (!secrets || !gosess_secrets_know(secrets, now, name)) {
        status = GOSESS_NOT_OURS;
        connection->given.private = true; /* should it be the host's */
    } else if (ask_terms(connection, &scope, now) && identify(connection, scope.terms, identity) &&
               gosess_secrets_open(secrets, now, name, identity, &keys, &begins)) {
        status = open_with(connection, &scope, &keys, name, iv, now, begins, to);
        explicit_bzero(&keys, sizeof keys);
    } else {
        connection->given.fate = GOSESS_FATE_REFUSED;
    }
    gosess_ssl->ERR_pop_to_mark();
    return status;
}
