/* glue.c - what Go asks of libssl. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "glue.h"

#include "_cgo_export.h" /* a prototype that differs from shim.h's does not compile */

__attribute__((visibility("default"))) const unsigned gosess_core_abi = GOSESS_CORE_ABI;

static const struct gosess_start *start;
static const struct gosess_libssl *ssl_;

void gosess_glue_start(const struct gosess_start *given)
{
    start = given;
    ssl_ = given->libssl;
}

void gosess_log_text(enum gosess_log_level level, enum gosess_log_cause cause, const char *text)
{
    start->log(level, cause, text);
}

void gosess_block_signals(void)
{
    static const int kept[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        sigdelset(&all, kept[i]);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

/* --- sessions --- */

/*
 * TLS 1.3 gives a resumed connection's new ticket a fresh time; the chain of tickets still
 * ends when the first session does.
 */
static int64_t expiry(SSL *ssl, SSL_SESSION *session)
{
    int64_t expires =
        (int64_t)ssl_->SSL_SESSION_get_time(session) + ssl_->SSL_SESSION_get_timeout(session);
    int64_t deadline = (intptr_t)ssl_->SSL_get_ex_data(ssl, start->deadline_index);
    bool resumed = ssl_->SSL_session_reused(ssl) == 1;
    return resumed && deadline > 0 && deadline < expires ? deadline : expires;
}

/* A pointer to NULL makes i2d allocate, which costs one pass less than asking for the length. */
static bool encode(SSL_SESSION *session, struct gosess_record *record)
{
    int length = ssl_->i2d_SSL_SESSION(session, &record->der);
    record->der_length = length > 0 ? (size_t)length : 0;
    return record->der && length > 0;
}

bool gosess_record_new(SSL *ssl, SSL_SESSION *session, struct gosess_record *record)
{
    memset(record, 0, sizeof *record);
    ssl_->ERR_set_mark();
    record->origin.context = start->digest_of_ssl(ssl);
    const char *name = ssl_->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    record->origin.server_name = name;
    record->origin.server_name_length = name ? strlen(name) : 0;
    record->id = ssl_->SSL_SESSION_get_id(session, &record->id_length);
    record->expires = expiry(ssl, session);
    bool ok = record->origin.context && record->id_length > 0 && encode(session, record);
    ssl_->ERR_pop_to_mark();
    return ok;
}

void gosess_record_free(struct gosess_record *record)
{
    ssl_->CRYPTO_clear_free(record->der, record->der_length, __FILE__, __LINE__);
}

/* The body of a server_name extension, RFC 6066 section 3: one host_name. */
static bool parse_server_name(const unsigned char *body, size_t length,
                              struct gosess_origin *origin)
{
    const size_t before = 5; /* list length (2), name type (1), name length (2) */
    if (length < before || body[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    size_t list = (size_t)body[0] << 8 | body[1], name = (size_t)body[3] << 8 | body[4];
    if (list != length - 2 || name != length - before || name == 0)
        return false;
    origin->server_name = (const char *)body + before;
    origin->server_name_length = name;
    return true;
}

bool gosess_origin_get(SSL *ssl, struct gosess_origin *origin)
{
    const unsigned char *body = NULL;
    size_t length = 0;
    memset(origin, 0, sizeof *origin);
    ssl_->ERR_set_mark();
    ssl_->SSL_set_ex_data(ssl, start->deadline_index, NULL);
    origin->context = start->digest_of_ssl(ssl);
    bool ok = origin->context != NULL;
    /* SSL_get_servername does not know the name yet (L12, L47). */
    if (ok && ssl_->SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &body, &length) == 1)
        ok = parse_server_name(body, length, origin);
    ssl_->ERR_pop_to_mark();
    return ok;
}

static SSL_SESSION *decode(const unsigned char *der, size_t der_length)
{
    const unsigned char *at = der;
    if (der_length > LONG_MAX)
        return NULL;
    SSL_SESSION *session = ssl_->d2i_SSL_SESSION(NULL, &at, (long)der_length);
    if (session && at != der + der_length) {
        ssl_->SSL_SESSION_free(session);
        session = NULL;
    }
    return session;
}

static bool has_id(SSL_SESSION *session, const unsigned char *id, int id_length)
{
    unsigned length = 0;
    const unsigned char *own = ssl_->SSL_SESSION_get_id(session, &length);
    return id_length >= 0 && length == (unsigned)id_length && memcmp(own, id, length) == 0;
}

SSL_SESSION *gosess_session_decode(SSL *ssl, const unsigned char *der, size_t der_length,
                                   const unsigned char *id, int id_length, int64_t expires)
{
    ssl_->ERR_set_mark();
    SSL_SESSION *session = decode(der, der_length);
    int64_t lifetime = session ? expires - ssl_->SSL_SESSION_get_time(session) : 0;
    if (session && (lifetime <= 0 || lifetime > LONG_MAX || !has_id(session, id, id_length))) {
        ssl_->SSL_SESSION_free(session);
        session = NULL;
    }
    if (session) {
        ssl_->SSL_SESSION_set_timeout(session, (long)lifetime);
        ssl_->SSL_set_ex_data(ssl, start->deadline_index, (void *)(intptr_t)expires);
    }
    ssl_->ERR_pop_to_mark();
    return session;
}

bool gosess_record_removed(SSL_CTX *ctx, SSL_SESSION *session, struct gosess_record *record)
{
    memset(record, 0, sizeof *record);
    ssl_->ERR_set_mark();
    record->origin.context = start->digest_of_ctx(ctx);
    record->id = ssl_->SSL_SESSION_get_id(session, &record->id_length);
    ssl_->ERR_pop_to_mark();
    return record->origin.context && record->id_length > 0;
}

bool gosess_same_session(SSL_SESSION *session, const unsigned char *der, size_t der_length)
{
    unsigned char mine[SSL_MAX_MASTER_KEY_LENGTH + 1], stored[sizeof mine];
    ssl_->ERR_set_mark();
    SSL_SESSION *other = decode(der, der_length);
    size_t length = ssl_->SSL_SESSION_get_master_key(session, mine, sizeof mine);
    bool same = other && length > 0 &&
                ssl_->SSL_SESSION_get_master_key(other, stored, sizeof stored) == length &&
                ssl_->CRYPTO_memcmp(mine, stored, length) == 0;
    ssl_->OPENSSL_cleanse(mine, sizeof mine);
    ssl_->OPENSSL_cleanse(stored, sizeof stored);
    ssl_->SSL_SESSION_free(other);
    ssl_->ERR_pop_to_mark();
    return same;
}
