/* glue.c - what Go asks of libssl about sessions. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "glue.h"

/*
 * sizeof(SSL_SESSION) with what it points to, of 3.0: P, Memory. And of a peer's certificate, which
 * is more than its DER by as much and by the names that libcrypto makes of its extensions.
 */
#define LIVE_SESSION 1150
#define LIVE_CERTIFICATE 2048
#define LIVE_CERTIFICATE_FACTOR 4

#define GO_ARENA (64 << 20) /* runtime/malloc.go, heapArenaBytes of 64-bit Linux */

#define LINE_SIZE 1024 /* more of a text is not logged: shim/base/log.c */

/* A store keeps the end of a session in 32 bits: this one stands for all that come later. */
#define GOSESS_END_MAX ((int64_t)UINT32_MAX)

#define ASN1_ERROR 0x80 /* of what ASN1_get_object returns */

static const struct gosess_start *start;
static const struct gosess_libssl *libssl;

void gosess_glue_start(const struct gosess_start *given)
{
    start = given;
    libssl = given->libssl;
    gosess_copies_start(libssl);
    gosess_lookup_start(libssl);
}

void gosess_log_text(enum gosess_log_cause cause, const char *text, size_t length)
{
    char line[LINE_SIZE];
    snprintf(line, sizeof(line), "%.*s", length < sizeof(line) ? (int)length : LINE_SIZE, text);
    start->log(GOSESS_LOG_ERROR, cause, line);
}

void *gosess_allocate(size_t size)
{
    return malloc(size);
}

void gosess_leave_out_of_core_dumps(uintptr_t object)
{
    uintptr_t arena = object & ~((uintptr_t)GO_ARENA - 1);
    madvise((void *)arena, GO_ARENA, MADV_DONTDUMP); /* says ENOMEM of the part that is not there */
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

static bool take_apart(SSL_SESSION *session, struct gosess_record *record)
{
    record->session = session;
    record->id = libssl->SSL_SESSION_get_id(session, &record->id_length);
    record->expires = gosess_end_of(libssl, session);
    return record->id_length > 0;
}

/*
 * TLS 1.3 gives a resumed connection's new ticket a fresh time; the chain of tickets still
 * ends when the first session does.
 */
bool gosess_record_new(SSL_SESSION *session, const struct gosess_scope *scope,
                       const struct gosess_given *given, struct gosess_record *record)
{
    *record = (struct gosess_record){.scope = *scope};
    if (!take_apart(session, record))
        return false;
    if (scope->resumed && given->ends > 0 && given->ends < record->expires)
        record->expires = given->ends;
    if (!scope->context->live && scope->shared && scope->chain == 0)
        record->copy = gosess_copy_to_keep(session);
    return true;
}

bool gosess_record_of(SSL_CTX *ctx, SSL_SESSION *session, struct gosess_record *record)
{
    struct gosess_context *context = start->context_of_ctx(ctx);
    *record = (struct gosess_record){.scope = {.context = context}};
    return context && take_apart(session, record);
}

/* A pointer to NULL makes i2d allocate, which costs one pass less than asking for the length. */
unsigned char *gosess_encode(SSL_SESSION *session, int *length)
{
    unsigned char *der = NULL;
    libssl->ERR_set_mark();
    *length = libssl->i2d_SSL_SESSION(session, &der);
    libssl->ERR_pop_to_mark();
    return *length > 0 ? der : NULL;
}

void gosess_free_der(unsigned char *der, int length)
{
    libssl->CRYPTO_clear_free(der, length > 0 ? (size_t)length : 0, __FILE__, __LINE__);
}

static SSL_SESSION *decode(const unsigned char *der, size_t der_length)
{
    const unsigned char *at = der;
    if (der_length > LONG_MAX)
        return NULL;
    SSL_SESSION *session = libssl->d2i_SSL_SESSION(NULL, &at, (long)der_length);
    if (session && at != der + der_length) {
        libssl->SSL_SESSION_free(session);
        session = NULL;
    }
    return session;
}

SSL_SESSION *gosess_decode(const unsigned char *der, size_t der_length, const unsigned char *id,
                           int id_length, int64_t expires)
{
    unsigned length = 0;
    libssl->ERR_set_mark();
    SSL_SESSION *session = decode(der, der_length);
    const unsigned char *own = session ? libssl->SSL_SESSION_get_id(session, &length) : NULL;
    if (session && (length != (unsigned)id_length || memcmp(own, id, length) != 0)) {
        libssl->SSL_SESSION_free(session);
        session = NULL;
    }
    if (session)
        gosess_cap(session, expires);
    libssl->ERR_pop_to_mark();
    return session;
}

int gosess_live_size(const SSL_SESSION *session, int chain)
{
    X509 *peer = libssl->SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session);
    int der_length = peer ? libssl->i2d_X509(peer, NULL) : 0;
    return LIVE_SESSION +
           (peer ? LIVE_CERTIFICATE + LIVE_CERTIFICATE_FACTOR * (max(der_length, 0) + chain) : 0);
}

void gosess_cap(SSL_SESSION *session, int64_t expires)
{
    int64_t lifetime;
    if (expires < gosess_end_of(libssl, session) && expires < GOSESS_END_MAX &&
        !__builtin_sub_overflow(expires, (int64_t)libssl->SSL_SESSION_get_time(session),
                                &lifetime) &&
        lifetime >= 0)
        libssl->SSL_SESSION_set_timeout(session, (long)lifetime);
}

void gosess_ref(SSL_SESSION *session)
{
    libssl->SSL_SESSION_up_ref(session);
}

void gosess_unref(SSL_SESSION *session)
{
    libssl->SSL_SESSION_free(session);
}

bool gosess_same_live(SSL_SESSION *session, SSL_SESSION *other)
{
    unsigned char mine[SSL_MAX_MASTER_KEY_LENGTH + 1], stored[sizeof(mine)];
    if (session == other)
        return true;
    size_t length = libssl->SSL_SESSION_get_master_key(session, mine, sizeof(mine));
    bool same = length > 0 &&
                libssl->SSL_SESSION_get_master_key(other, stored, sizeof(stored)) == length &&
                libssl->CRYPTO_memcmp(mine, stored, length) == 0;
    libssl->OPENSSL_cleanse(mine, sizeof(mine));
    libssl->OPENSSL_cleanse(stored, sizeof(stored));
    return same;
}

/*
 * The master key, of SSL_SESSION_ASN1 (ssl/ssl_asn1.c, all versions) the fifth element. Not by
 * d2i_SSL_SESSION: that calls functions of the host, and takes 120 us where there is a certificate.
 */
static const unsigned char *master_key_of(const unsigned char *der, size_t der_length, long *length)
{
    const unsigned char *at = der, *end = der + der_length;
    int tag = 0, class = 0;
    if (der_length > LONG_MAX ||
        (libssl->ASN1_get_object(&at, length, &tag, &class, (long)der_length) & ASN1_ERROR) ||
        tag != V_ASN1_SEQUENCE)
        return NULL;
    for (int i = 0; i < 5; i++) {
        at += i ? *length : 0;
        if (libssl->ASN1_get_object(&at, length, &tag, &class, end - at) & ASN1_ERROR)
            return NULL;
    }
    return tag == V_ASN1_OCTET_STRING ? at : NULL;
}

bool gosess_same_stored(SSL_SESSION *session, const unsigned char *der, size_t der_length)
{
    unsigned char mine[SSL_MAX_MASTER_KEY_LENGTH + 1];
    long stored_length = 0;
    libssl->ERR_set_mark();
    const unsigned char *stored = master_key_of(der, der_length, &stored_length);
    size_t length = libssl->SSL_SESSION_get_master_key(session, mine, sizeof(mine));
    bool same = stored && length > 0 && length == (size_t)stored_length &&
                libssl->CRYPTO_memcmp(mine, stored, length) == 0;
    libssl->OPENSSL_cleanse(mine, sizeof(mine));
    libssl->ERR_pop_to_mark();
    return same;
}

struct gosess_context *gosess_context_of(SSL_CTX *ctx)
{
    return start->context_of_ctx(ctx);
}

int gosess_cache_of(const struct gosess_context *context)
{
    return __atomic_load_n(&context->cache, __ATOMIC_RELAXED);
}

int gosess_limit_of(const struct gosess_context *context)
{
    long limit = libssl->SSL_CTX_ctrl(context->ctx, SSL_CTRL_GET_SESS_CACHE_SIZE, 0, NULL);
    return limit > 0 && limit < INT_MAX ? (int)limit : 0;
}
