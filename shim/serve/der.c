/*
 * der.c - what gosess asks libssl about a session: its bytes, its size, its end.
 *
 * To make or to free a session calls functions of the host (CRYPTO_get_ex_new_index(3)), so none of
 * this is done in Go, but for the two comparisons.
 */
#define _GNU_SOURCE
#include "der.h"

#include <limits.h>
#include <string.h>

#include "../ssl/libssl.h"
#include "molds.h"

/*
 * sizeof(SSL_SESSION) with what it points to, of 3.0: P8. And of a peer's certificate, which
 * is more than its DER by as much and by the names that libcrypto makes of its extensions.
 */
#define LIVE_SESSION 1150
#define LIVE_CERTIFICATE 2048
#define LIVE_CERTIFICATE_FACTOR 4

/* A store keeps the end of a session in 32 bits: this one stands for all that come later. */
#define GOSESS_END_MAX ((int64_t)UINT32_MAX)

#define ASN1_ERROR 0x80 /* of what ASN1_get_object returns */

static int max(int a, int b)
{
    return a > b ? a : b;
}

/* A pointer to NULL makes i2d allocate, which costs one pass less than asking for the length. */
unsigned char *gosess_encode(SSL_SESSION *session, int *length)
{
    unsigned char *der = NULL;
    gosess_ssl->ERR_set_mark();
    *length = gosess_ssl->i2d_SSL_SESSION(session, &der);
    gosess_ssl->ERR_pop_to_mark();
    return *length > 0 ? der : NULL;
}

void gosess_free_der(unsigned char *der, int length)
{
    gosess_ssl->CRYPTO_clear_free(der, length > 0 ? (size_t)length : 0, __FILE__, __LINE__);
}

bool gosess_has_id(const SSL_SESSION *session, const unsigned char *id, unsigned id_length)
{
    unsigned length = 0;
    const unsigned char *own = gosess_ssl->SSL_SESSION_get_id(session, &length);
    return length == id_length && memcmp(own, id, length) == 0;
}

static SSL_SESSION *decode(const unsigned char *der, size_t der_length)
{
    const unsigned char *at = der;
    if (der_length > LONG_MAX)
        return NULL;
    SSL_SESSION *session = gosess_ssl->d2i_SSL_SESSION(NULL, &at, (long)der_length);
    if (session && at != der + der_length) {
        gosess_ssl->SSL_SESSION_free(session);
        session = NULL;
    }
    return session;
}

/* The session that was made, where it is the one of that id; it ends then. */
static SSL_SESSION *checked(SSL_SESSION *session, const unsigned char *id, unsigned id_length,
                            int64_t expires)
{
    if (session && !gosess_has_id(session, id, id_length)) {
        gosess_ssl->SSL_SESSION_free(session);
        session = NULL;
    }
    if (session)
        gosess_cap(session, expires);
    return session;
}

SSL_SESSION *gosess_decode(const unsigned char *der, size_t der_length, const unsigned char *id,
                           unsigned id_length, int64_t expires)
{
    gosess_ssl->ERR_set_mark();
    SSL_SESSION *session = checked(decode(der, der_length), id, id_length, expires);
    gosess_ssl->ERR_pop_to_mark();
    return session;
}

SSL_SESSION *gosess_decode_often(const unsigned char *der, size_t der_length,
                                 const unsigned char *id, unsigned id_length, int64_t expires)
{
    gosess_ssl->ERR_set_mark();
    SSL_SESSION *session = gosess_mold_use(der, der_length);
    if (!session) {
        session = decode(der, der_length);
        if (session)
            gosess_mold_keep(session, der, der_length);
    }
    session = checked(session, id, id_length, expires);
    gosess_ssl->ERR_pop_to_mark();
    return session;
}

int gosess_object_size(const SSL_SESSION *session, int chain)
{
    X509 *peer = gosess_ssl->SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session);
    int der_length = peer ? gosess_ssl->i2d_X509(peer, NULL) : 0;
    return LIVE_SESSION +
           (peer ? LIVE_CERTIFICATE + LIVE_CERTIFICATE_FACTOR * (max(der_length, 0) + chain) : 0);
}

int64_t gosess_end_of(const SSL_SESSION *session)
{
    int64_t end;
    int64_t time = gosess_ssl->SSL_SESSION_get_time(session);
    int64_t timeout = gosess_ssl->SSL_SESSION_get_timeout(session);
    if (__builtin_add_overflow(time, timeout, &end))
        return timeout > 0 ? INT64_MAX : INT64_MIN;
    return end;
}

static void set_end(SSL_SESSION *session, int64_t expires)
{
    int64_t lifetime;
    if (expires < GOSESS_END_MAX &&
        !__builtin_sub_overflow(expires, (int64_t)gosess_ssl->SSL_SESSION_get_time(session),
                                &lifetime) &&
        lifetime >= 0)
        gosess_ssl->SSL_SESSION_set_timeout(session, (long)lifetime);
}

void gosess_cap(SSL_SESSION *session, int64_t expires)
{
    if (expires < gosess_end_of(session))
        set_end(session, expires);
}

void gosess_prolong(SSL_SESSION *session, int64_t expires)
{
    if (expires > gosess_end_of(session))
        set_end(session, expires);
}

bool gosess_same_object(SSL_SESSION *session, SSL_SESSION *other)
{
    unsigned char mine[SSL_MAX_MASTER_KEY_LENGTH + 1], stored[sizeof(mine)];
    if (session == other)
        return true;
    size_t length = gosess_ssl->SSL_SESSION_get_master_key(session, mine, sizeof(mine));
    bool same = length > 0 &&
                gosess_ssl->SSL_SESSION_get_master_key(other, stored, sizeof(stored)) == length &&
                gosess_ssl->CRYPTO_memcmp(mine, stored, length) == 0;
    gosess_ssl->OPENSSL_cleanse(mine, sizeof(mine));
    gosess_ssl->OPENSSL_cleanse(stored, sizeof(stored));
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
        (gosess_ssl->ASN1_get_object(&at, length, &tag, &class, (long)der_length) & ASN1_ERROR) ||
        tag != V_ASN1_SEQUENCE)
        return NULL;
    for (int i = 0; i < 5; i++) {
        at += i ? *length : 0;
        if (gosess_ssl->ASN1_get_object(&at, length, &tag, &class, end - at) & ASN1_ERROR)
            return NULL;
    }
    return tag == V_ASN1_OCTET_STRING ? at : NULL;
}

bool gosess_same_bytes(SSL_SESSION *session, const unsigned char *der, size_t der_length)
{
    unsigned char mine[SSL_MAX_MASTER_KEY_LENGTH + 1];
    long stored_length = 0;
    gosess_ssl->ERR_set_mark();
    const unsigned char *stored = master_key_of(der, der_length, &stored_length);
    size_t length = gosess_ssl->SSL_SESSION_get_master_key(session, mine, sizeof(mine));
    bool same = stored && length > 0 && length == (size_t)stored_length &&
                gosess_ssl->CRYPTO_memcmp(mine, stored, length) == 0;
    gosess_ssl->OPENSSL_cleanse(mine, sizeof(mine));
    gosess_ssl->ERR_pop_to_mark();
    return same;
}
