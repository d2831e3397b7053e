/*
 * lookup.c - what a lookup may find, and what becomes of it.
 *
 * A session is taken where it may be used once: on a server that accepts early data with
 * anti-replay, and with ?single-use=tls13. libssl's own anti-replay cannot be used: it wants
 * the session in its internal cache (L26). After a HelloRetryRequest the same handshake asks
 * again (L7), so what it took is kept with the connection, for the same ClientHello random.
 */
#include <stdlib.h>
#include <string.h>

#include "glue.h"

#define RANDOM_SIZE 32 /* of a ClientHello, RFC 8446 section 4.1.2 */

static const struct gosess_libssl *libssl;
static const struct gosess_start *start;
static int deadline_index, claim_index; /* ex_data of an SSL: an integer; a struct claim */

/* What a handshake has taken. */
struct claim {
    SSL_SESSION *session; /* referenced */
    int64_t ends;
    unsigned char random[RANDOM_SIZE];
};

static void free_claim(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl,
                       void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    struct claim *claim = value;
    if (!claim)
        return;
    libssl->SSL_SESSION_free(claim->session);
    free(claim);
}

/* SSL_dup copies ex_data; what one connection took is not the other's. */
static int dup_claim(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **value, int index,
                     long argl, void *argp)
{
    (void)to, (void)from, (void)index, (void)argl, (void)argp;
    *value = NULL;
    return 1;
}

bool gosess_lookup_start(const struct gosess_libssl *table, const struct gosess_start *given)
{
    libssl = table;
    start = given;
    deadline_index = table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, NULL);
    claim_index = table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL,
                                                 (CRYPTO_EX_dup *)dup_claim, free_claim);
    return deadline_index >= 0 && claim_index >= 0;
}

int64_t gosess_deadline(SSL *ssl)
{
    return (intptr_t)libssl->SSL_get_ex_data(ssl, deadline_index);
}

void gosess_lookup_forget(SSL *ssl)
{
    struct claim *claim = libssl->SSL_get_ex_data(ssl, claim_index);
    if (claim && libssl->SSL_set_ex_data(ssl, claim_index, NULL))
        free_claim(NULL, claim, NULL, 0, 0, NULL);
}

static bool has_id(const SSL_SESSION *session, const unsigned char *id, int id_length)
{
    unsigned length = 0;
    const unsigned char *own = libssl->SSL_SESSION_get_id(session, &length);
    return id_length >= 0 && length == (unsigned)id_length && memcmp(own, id, length) == 0;
}

/* The second ClientHello of a handshake has the random of the first. */
static SSL_SESSION *claimed(SSL *ssl, struct gosess_lookup *lookup)
{
    struct claim *claim = libssl->SSL_get_ex_data(ssl, claim_index);
    const unsigned char *random = NULL;
    if (!claim || libssl->SSL_client_hello_get0_random(ssl, &random) != RANDOM_SIZE)
        return NULL;
    if (memcmp(claim->random, random, RANDOM_SIZE) != 0) {
        gosess_lookup_forget(ssl);
        return NULL;
    }
    if (!has_id(claim->session, lookup->id, lookup->id_length) ||
        !libssl->SSL_SESSION_up_ref(claim->session))
        return NULL;
    lookup->ends = claim->ends;
    return claim->session;
}

/* Where it cannot be noted, a HelloRetryRequest loses the session: a full handshake. */
static void claim(SSL *ssl, SSL_SESSION *session, int64_t ends)
{
    const unsigned char *random = NULL;
    gosess_lookup_forget(ssl);
    struct claim *note = calloc(1, sizeof(*note));
    if (!note)
        return;
    if (libssl->SSL_client_hello_get0_random(ssl, &random) == RANDOM_SIZE &&
        libssl->SSL_SESSION_up_ref(session)) {
        memcpy(note->random, random, RANDOM_SIZE);
        note->session = session;
        note->ends = ends;
    }
    if (!note->session || !libssl->SSL_set_ex_data(ssl, claim_index, note))
        free_claim(NULL, note, NULL, 0, 0, NULL);
}

/* The body of a server_name extension, RFC 6066 section 3: one host_name. */
static bool parse_server_name(const unsigned char *body, size_t length,
                              struct gosess_lookup *lookup)
{
    const size_t before = 5; /* list length (2), name type (1), name length (2) */
    if (length < before || body[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    size_t list = (size_t)body[0] << 8 | body[1], name = (size_t)body[3] << 8 | body[4];
    if (list != length - 2 || name != length - before || name == 0)
        return false;
    lookup->server_name = (const char *)body + before;
    lookup->server_name_length = name;
    return true;
}

bool gosess_lookup_begin(SSL *ssl, const unsigned char *id, int id_length,
                         struct gosess_lookup *lookup)
{
    const unsigned char *body = NULL;
    size_t length = 0;
    *lookup = (struct gosess_lookup){.id = id, .id_length = id_length};
    libssl->ERR_set_mark();
    libssl->SSL_set_ex_data(ssl, deadline_index, NULL);
    lookup->context = start->context_of_ssl(ssl);
    lookup->policy = start->policy_of_ctx(libssl->SSL_get_SSL_CTX(ssl));
    lookup->verify_mode = libssl->SSL_get_verify_mode(ssl);
    bool ok = lookup->context && (lookup->context->live || !gosess_verifies_by_itself(ssl));
    /* SSL_get_servername does not know the name yet (L12, L47). */
    if (ok && libssl->SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &body, &length) == 1)
        ok = parse_server_name(body, length, lookup);
    if (ok && libssl->SSL_version(ssl) == TLS1_3_VERSION) {
        lookup->ticket = true;
        lookup->claimed = claimed(ssl, lookup);
        lookup->take =
            lookup->claimed || lookup->context->single_use || gosess_anti_replay(libssl, ssl);
    }
    libssl->ERR_pop_to_mark();
    return ok;
}

/* What libssl would refuse is not offered to it: some of that ends in a failed handshake (L34). */
static bool usable(const SSL *ssl, const struct gosess_lookup *lookup, SSL_SESSION *session)
{
    return libssl->SSL_SESSION_is_resumable(session) &&
           has_id(session, lookup->id, lookup->id_length) &&
           libssl->SSL_SESSION_get_protocol_version(session) == libssl->SSL_version(ssl);
}

bool gosess_lookup_decode(struct gosess_lookup *lookup, const unsigned char *room)
{
    bool is_kept = lookup->copy != NULL;
    if (is_kept) {
        lookup->session = gosess_copy_to_use(lookup->copy, lookup->ends);
        libssl->SSL_SESSION_free(lookup->copy);
        lookup->copy = NULL;
    }
    if (!lookup->session && lookup->der_length > 0) {
        lookup->session = gosess_decode(lookup->der, lookup->der_length, lookup->id,
                                        lookup->id_length, lookup->ends);
        if (lookup->session && !is_kept && !lookup->take)
            lookup->copy = gosess_copy_to_keep(lookup->session);
    }
    libssl->OPENSSL_cleanse(lookup->der, lookup->der_length);
    if (lookup->der != room)
        free(lookup->der);
    return lookup->copy != NULL;
}

SSL_SESSION *gosess_lookup_end(SSL *ssl, const struct gosess_lookup *lookup)
{
    SSL_SESSION *session = lookup->claimed ? lookup->claimed : lookup->session;
    libssl->ERR_set_mark();
    if (session && !lookup->claimed && !usable(ssl, lookup, session)) {
        libssl->SSL_SESSION_free(session);
        session = NULL;
    }
    if (session) {
        int64_t ends = lookup->ends ? lookup->ends
                                    : (int64_t)libssl->SSL_SESSION_get_time(session) +
                                          libssl->SSL_SESSION_get_timeout(session);
        /* Else what this connection is given next could outlive the session. */
        if (!libssl->SSL_set_ex_data(ssl, deadline_index, (void *)(intptr_t)ends)) {
            libssl->SSL_SESSION_free(session);
            session = NULL;
        }
        if (session && lookup->take && !lookup->claimed) {
            claim(ssl, session, ends);
            gosess_outcome_taken();
        }
    }
    libssl->ERR_pop_to_mark();
    return session;
}
