/*
 * terms.c - under which terms a connection's session is made, or would be.
 *
 * A session is resumed only where a full handshake at this moment would present the same
 * certificates under the same rules for clients. The session id context is no isolation: HAProxy
 * gives every context the same (S7). What cannot be known is never taken for equal.
 */
#define _GNU_SOURCE
#include "terms.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "../ssl/digest.h"
#include "../ssl/libssl.h"
#include "connection.h"
#include "identity.h"
#include "own.h"
#include "tier.h"

/* --- terms --- */

/* What a connection's terms are a digest of. No padding. */
struct parts {
    unsigned char certificates[GOSESS_DIGEST_SIZE];
    unsigned char policy[GOSESS_DIGEST_SIZE];
    uint64_t data; /* which functions put data into its sessions */
    struct gosess_limits limits;
};
_Static_assert(sizeof(struct parts) ==
                       2 * GOSESS_DIGEST_SIZE + sizeof(uint64_t) + sizeof(struct gosess_limits) &&
                   sizeof(struct parts) <= GOSESS_MEMO_SIZE,
               "they are compared byte by byte, where they are remembered");

/* What gosess keeps of the context that a connection has been switched to by now. */
static struct gosess_context *context_now(const struct gosess_connection *connection)
{
    SSL_CTX *ctx = gosess_ssl->SSL_get_SSL_CTX(connection->ssl);
    return ctx == connection->first->ctx ? connection->first : gosess_context_of(ctx);
}

static bool policy_of(struct gosess_context *context, unsigned char policy[GOSESS_DIGEST_SIZE])
{
    return context && gosess_policy_digest(&context->policy, context->ctx, &context->owner,
                                           &context->observed, policy);
}

/*
 * Whether a connection's terms are known, from the context that it has been switched to by now. A
 * callback for certificates may choose others for each connection (SSL_CTX_set_cert_cb(3)), and is
 * not asked where a session is resumed. That of the first context stays the connection's, and so do
 * the functions that put data into its sessions, which no others understand.
 */
static bool terms_of(const struct gosess_connection *connection,
                     unsigned char terms[GOSESS_DIGEST_SIZE],
                     unsigned char policy[GOSESS_DIGEST_SIZE])
{
    SSL *ssl = connection->ssl;
    struct gosess_context *context = context_now(connection);
    struct parts parts;
    if (!context || !context->from_birth || !connection->from_birth || connection->chooses ||
        atomic_load(&context->observed.chooses) || atomic_load(&context->observed.judges) ||
        atomic_load(&connection->first->observed.judges) ||
        !gosess_certificates_digest(ssl, &context->presented, parts.certificates) ||
        !policy_of(context, policy))
        return false;
    memcpy(parts.policy, policy, sizeof parts.policy);
    parts.data = atomic_load(&connection->first->tickets.data);
    gosess_read_limits(ssl, connection, &parts.limits);
    return gosess_digest_again(&context->terms, &parts, sizeof parts, terms);
}

bool gosess_may_keep(struct gosess_connection *connection)
{
    const struct gosess_given *given = &connection->given;
    unsigned char now[GOSESS_DIGEST_SIZE], policy[GOSESS_DIGEST_SIZE];
    if (!given->bound || !gosess_ssl->SSL_session_reused(connection->ssl) ||
        !gosess_connection_has_asked(connection))
        return true;
    return gosess_own_rules(connection->ssl) == 0 && terms_of(connection, now, policy) &&
           memcmp(now, given->terms, sizeof now) == 0;
}

/* --- scopes --- */

/* The body of a server_name extension, RFC 6066 section 3: one host_name. */
static bool parse_server_name(const unsigned char *body, size_t length, struct gosess_scope *scope)
{
    const size_t before = 5; /* list length (2), name type (1), name length (2) */
    if (length < before || body[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    size_t list = (size_t)body[0] << 8 | body[1], name = (size_t)body[3] << 8 | body[4];
    if (list != length - 2 || name != length - before || name == 0)
        return false;
    scope->server_name = (const char *)body + before;
    scope->server_name_length = name;
    return true;
}

/*
 * A host with a callback for the server name switches there; one that has one for the ClientHello
 * too has switched by the lookup (HAProxy), or is known to have decided to stay (httpd). Without a
 * name most hosts stay, so that counts once it was seen otherwise.
 */
bool gosess_switches_late(const struct gosess_context *first, const SSL_CTX *now, bool named)
{
    const struct gosess_observed *observed = &first->observed;
    const struct gosess_context *context = now == first->ctx ? first : gosess_context_of(now);
    if (!atomic_load(&observed->servername) &&
        !(context && atomic_load(&context->observed.servername)))
        return false;
    bool chosen = atomic_load(&observed->chooses_in_hello) ||
                  (atomic_load(&observed->hello) && now != first->ctx);
    if (chosen && !atomic_load(&observed->switched_twice))
        return false;
    return named || atomic_load(&observed->switched_nameless);
}

/*
 * The local address of a connection, in 64 bits: servers choose by it and the name (nginx has a
 * default server and a list of names for each). 0 where there is no socket.
 */
static uint64_t place_of(const SSL *ssl)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    uint64_t place = GOSESS_FNV_START;
    int saved = errno, fd = gosess_ssl->SSL_get_fd(ssl);
    bool known = fd >= 0 && getsockname(fd, (struct sockaddr *)&address, &length) == 0;
    errno = saved;
    if (known && address.ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
        place = gosess_fnv(place, &four->sin_port, sizeof four->sin_port);
        return gosess_fnv(place, &four->sin_addr, sizeof four->sin_addr);
    }
    if (known && address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
        place = gosess_fnv(place, &six->sin6_port, sizeof six->sin6_port);
        return gosess_fnv(place, &six->sin6_addr, sizeof six->sin6_addr);
    }
    return 0;
}

bool gosess_scope_asked(struct gosess_connection *connection, struct gosess_scope *scope)
{
    SSL *ssl = connection->ssl;
    struct gosess_context *context = connection->first;
    unsigned char policy[GOSESS_DIGEST_SIZE];
    const unsigned char *body = NULL;
    size_t length = 0;
    *scope = (struct gosess_scope){
        .owner = &context->owner,
        .host_data = gosess_keeps_session_data(),
        .generation = gosess_generation(),
        .flushed = atomic_load(&context->flushed),
    };
    /* SSL_get_servername does not know the name yet (L12, L47). */
    if (gosess_ssl->SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &body, &length) == 1 &&
        !parse_server_name(body, length, scope))
        return false;
    scope->routed =
        gosess_switches_late(context, gosess_ssl->SSL_get_SSL_CTX(ssl), scope->server_name != NULL);
    scope->place = scope->routed ? place_of(ssl) : 0;
    scope->own = gosess_own_rules(ssl);
    scope->demands = gosess_ssl->SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE;
    /* Where the host may still switch, what it would be now says nothing. */
    scope->known = !scope->routed && terms_of(connection, scope->terms, policy);
    if (scope->known || (scope->routed && policy_of(context_now(connection), policy)))
        memcpy(connection->policy, policy, sizeof policy);
    scope->shared = !scope->host_data && !gosess_keeps_account(context) &&
                    (scope->routed || (scope->known && scope->own == 0));
    return true;
}

/*
 * With a certificate of the peer comes its chain, which the DER of a session has not (L40): how
 * many bytes that is.
 */
static int chain_size(const SSL *ssl)
{
    const OPENSSL_STACK *chain = (const OPENSSL_STACK *)gosess_ssl->SSL_get_peer_cert_chain(ssl);
    int count = chain ? gosess_ssl->OPENSSL_sk_num(chain) : 0, size = 0;
    for (int i = 0; i < count; i++) {
        int length = gosess_ssl->i2d_X509(gosess_ssl->OPENSSL_sk_value(chain, i), NULL);
        size += length > 0 ? length : 0;
    }
    return size;
}

/*
 * Whether a session that is made of the bytes again is what the host would have had. The bytes have
 * the certificate of the peer without its chain: a host with a cache of its own that keeps bytes
 * does without the chain. And libssl decodes the certificate in the default library context, which
 * a host that uses another one may have left without a provider (OSSL_PROVIDER-null(7)).
 */
static bool is_whole(struct gosess_context *context, SSL_SESSION *session,
                     const struct gosess_scope *scope)
{
    return !scope->host_data && scope->own == 0 && !(scope->chain > 0 && scope->live) &&
           !(context->own_library && gosess_ssl->SSL_SESSION_get0_peer(session));
}

/*
 * Whether the client was verified by what its context has now: that may have been replaced since,
 * or what is in it, while the client's messages were on their way. A client that is not asked now
 * was, if it has a certificate, after its handshake, by rules that nobody knows any more.
 */
static bool is_verified_as_now(const struct gosess_connection *connection, SSL_SESSION *session,
                               const unsigned char policy[GOSESS_DIGEST_SIZE])
{
    if (gosess_ssl->SSL_get_verify_mode(connection->ssl) == SSL_VERIFY_NONE)
        return !gosess_ssl->SSL_SESSION_get0_peer(session);
    return connection->generation == gosess_generation() &&
           memcmp(connection->policy, policy, GOSESS_DIGEST_SIZE) == 0;
}

/* Whether the host has callbacks that identify clients, and one may have for this session. */
static bool is_identified(const struct gosess_connection *connection, const SSL_SESSION *session)
{
    return (connection->identifies || atomic_load(&connection->first->observed.identifies)) &&
           gosess_may_be_identified(connection, session);
}

/* Why a session that is not shared is not. */
static enum gosess_reason reason_of(struct gosess_context *context,
                                    const struct gosess_scope *scope)
{
    if (scope->host_data || gosess_keeps_account(context))
        return GOSESS_REASON_DATA;
    if (scope->own != 0)
        return GOSESS_REASON_RULES;
    return scope->known ? GOSESS_REASON_CHAIN : GOSESS_REASON_UNKNOWN;
}

/* It decides on its client as the context does that it was switched to. */
int64_t gosess_client_ends(const SSL *ssl, const SSL_SESSION *session)
{
    if (!gosess_ssl->SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session))
        return INT64_MAX;
    SSL_CTX *ctx = gosess_ssl->SSL_get_SSL_CTX(ssl);
    const struct gosess_context *context = gosess_context_of(ctx);
    return gosess_peer_ends(ssl, session,
                            context ? gosess_revocation_store(ctx, &context->observed) : NULL);
}

void gosess_scope_made(struct gosess_connection *connection, SSL_SESSION *session,
                       struct gosess_scope *scope)
{
    SSL *ssl = connection->ssl;
    struct gosess_context *context = connection->first;
    const char *name = gosess_ssl->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    unsigned char policy[GOSESS_DIGEST_SIZE];
    *scope = (struct gosess_scope){
        .owner = &context->owner,
        .server_name = name,
        .server_name_length = name ? strlen(name) : 0,
        .host_data = gosess_keeps_session_data(),
        .generation = gosess_generation(),
        .chain = chain_size(ssl),
        .resumed = gosess_ssl->SSL_session_reused(ssl) == 1,
        .own = gosess_own_rules(ssl),
        .live = !(atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_STORE),
    };
    scope->known = terms_of(connection, scope->terms, policy) &&
                   is_verified_as_now(connection, session, policy) &&
                   !is_identified(connection, session);
    scope->shared = scope->known && is_whole(context, session, scope) &&
                    !gosess_keeps_account(context) &&
                    !(scope->resumed && connection->given.private);
    scope->reason = reason_of(context, scope);
    scope->routed = scope->shared && !scope->resumed && connection->late;
    scope->place = scope->routed ? place_of(ssl) : 0;
}

bool gosess_scope_led(struct gosess_connection *connection, struct gosess_scope *scope)
{
    SSL *ssl = connection->ssl;
    unsigned char policy[GOSESS_DIGEST_SIZE];
    const char *name = gosess_ssl->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    *scope = (struct gosess_scope){
        .owner = &connection->first->owner,
        .server_name = name,
        .server_name_length = name ? strlen(name) : 0,
        .generation = gosess_generation(),
        .routed = connection->late,
        .place = place_of(ssl),
    };
    return scope->routed && terms_of(connection, scope->terms, policy);
}

/* The server name of a session without a connection is what a servername callback accepted. */
void gosess_scope_added(struct gosess_context *context, const SSL_SESSION *session,
                        struct gosess_scope *scope)
{
    const char *name = gosess_ssl->SSL_SESSION_get0_hostname(session);
    *scope = (struct gosess_scope){
        .owner = &context->owner,
        .server_name = name,
        .server_name_length = name ? strlen(name) : 0,
        .any_name = !name,
        .reason = GOSESS_REASON_ADDED,
        .host_data = gosess_keeps_session_data(),
        .generation = gosess_generation(),
        .live = true,
    };
}
