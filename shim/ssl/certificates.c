/* certificates.c - the certificates that a connection has for its client. */
#define _GNU_SOURCE
#include "certificates.h"

#include <string.h>
#include <time.h>

#include "../base/locks.h"
#include "digest.h"
#include "libssl.h"

bool gosess_fingerprint(const X509 *certificate, unsigned char out[GOSESS_DIGEST_SIZE])
{
    unsigned char *der = NULL;
    struct gosess_digest digest;
    int length = gosess_ssl->i2d_X509((X509 *)(uintptr_t)certificate, &der);
    gosess_digest_begin(&digest);
    gosess_digest_add_der(&digest, der, length);
    return gosess_digest_end(&digest, out);
}

static long current(SSL *ssl, int command, long which, void *certificate)
{
    return gosess_ssl->SSL_ctrl(ssl, command, which, certificate);
}

/*
 * The certificates of a connection, of which there may be one for each kind of key. The SSL has a
 * list of its own, so no other thread sees that the current one changes meanwhile. False where
 * there are too many, or the current one has no key, so that it could not be made the current one
 * again.
 */
static bool list_certificates(SSL *ssl, struct gosess_certificates *list)
{
    X509 *before = gosess_ssl->SSL_get_certificate(ssl);
    list->count = 0;
    if (before && !gosess_ssl->SSL_get_privatekey(ssl))
        return false;
    bool fits = true;
    for (long which = SSL_CERT_SET_FIRST;
         fits && current(ssl, SSL_CTRL_SET_CURRENT_CERT, which, NULL) == 1;
         which = SSL_CERT_SET_NEXT) {
        fits = list->count < GOSESS_CERTIFICATES_MAX;
        if (fits)
            list->certificate[list->count++] = gosess_ssl->SSL_get_certificate(ssl);
    }
    if (before)
        current(ssl, SSL_CTRL_SELECT_CURRENT_CERT, 0, before);
    return fits;
}

/*
 * Whether either end may show a raw public key instead of a certificate (RFC 7250): of that there
 * is no list, nor of what a client's is compared with.
 */
static bool knows_raw_keys(const SSL *ssl)
{
    unsigned char *types = NULL;
    size_t length = 0;
    if (!gosess_ssl->SSL_get0_server_cert_type || !gosess_ssl->SSL_get0_client_cert_type)
        return false;
    if (gosess_ssl->SSL_get0_server_cert_type(ssl, &types, &length) == 1 && types && length > 0)
        return true;
    types = NULL;
    return gosess_ssl->SSL_get0_client_cert_type(ssl, &types, &length) == 1 && types && length > 0;
}

static bool same_certificates(const struct gosess_certificates *a,
                              const struct gosess_certificates *b)
{
    return a->count == b->count &&
           memcmp(a->certificate, b->certificate, a->count * sizeof(X509 *)) == 0;
}

static bool ref_certificates(const struct gosess_certificates *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (gosess_ssl->X509_up_ref(list->certificate[i]) != 1) {
            while (i-- > 0)
                gosess_ssl->X509_free(list->certificate[i]);
            return false;
        }
    }
    return true;
}

static void unref_certificates(const struct gosess_certificates *list)
{
    for (size_t i = 0; i < list->count; i++)
        gosess_ssl->X509_free(list->certificate[i]);
}

static bool digest_certificates(const struct gosess_certificates *list,
                                unsigned char out[GOSESS_DIGEST_SIZE])
{
    struct gosess_digest digest;
    gosess_digest_begin(&digest);
    for (size_t i = 0; i < list->count; i++) {
        unsigned char fingerprint[GOSESS_DIGEST_SIZE];
        digest.ok = digest.ok && gosess_fingerprint(list->certificate[i], fingerprint);
        gosess_digest_add(&digest, fingerprint, sizeof fingerprint);
    }
    return gosess_digest_end(&digest, out);
}

/*
 * The digest of the certificates that a connection has. A server without any proves its name by
 * something else, a secret that both know for one (PSK). Most connections of a context have the
 * same ones, whose digest the context keeps, with references on them, so that no other certificate
 * comes to lie at their addresses.
 */
bool gosess_certificates_digest(SSL *ssl, struct gosess_presented *presented,
                                unsigned char out[GOSESS_DIGEST_SIZE])
{
    struct gosess_certificates list, before = {.count = 0};
    if (knows_raw_keys(ssl) || !list_certificates(ssl, &list) || list.count == 0)
        return false;
    gosess_lock(GOSESS_LOCK_TERMS);
    bool known = presented->known && same_certificates(&presented->list, &list);
    if (known)
        memcpy(out, presented->digest, GOSESS_DIGEST_SIZE);
    gosess_unlock(GOSESS_LOCK_TERMS);
    if (known)
        return true;
    gosess_ssl->ERR_set_mark();
    bool ok = digest_certificates(&list, out);
    gosess_ssl->ERR_pop_to_mark();
    if (!ok)
        return false;
    if (!ref_certificates(&list))
        return true;
    gosess_lock(GOSESS_LOCK_TERMS);
    if (presented->known)
        before = presented->list;
    presented->known = true;
    presented->list = list;
    memcpy(presented->digest, out, GOSESS_DIGEST_SIZE);
    gosess_unlock(GOSESS_LOCK_TERMS);
    unref_certificates(&before);
    return true;
}

void gosess_presented_free(struct gosess_presented *presented)
{
    if (presented->known)
        unref_certificates(&presented->list);
}

/* --- the peer's --- */

/* libcrypto takes it for over in the second that it names: X509_cmp_time(3). */
static int64_t least(int64_t ends, const ASN1_TIME *time, int64_t now)
{
    struct tm broken;
    if (!time || gosess_ssl->ASN1_TIME_to_tm(time, &broken) != 1)
        return ends;
    int64_t last = (int64_t)timegm(&broken) - 1;
    return last >= now && last < ends ? last : ends;
}

static int64_t least_of_lists(int64_t ends, X509_STORE *store, int64_t now)
{
    gosess_ssl->X509_STORE_lock(store);
    const OPENSSL_STACK *objects =
        (const OPENSSL_STACK *)gosess_ssl->X509_STORE_get0_objects(store);
    int count = gosess_ssl->OPENSSL_sk_num(objects);
    for (int i = 0; i < count; i++) {
        X509_OBJECT *object = gosess_ssl->OPENSSL_sk_value(objects, i);
        const X509_CRL *list = gosess_ssl->X509_OBJECT_get_type(object) == X509_LU_CRL
                                   ? gosess_ssl->X509_OBJECT_get0_X509_CRL(object)
                                   : NULL;
        if (list)
            ends = least(ends, gosess_ssl->X509_CRL_get0_nextUpdate(list), now);
    }
    gosess_ssl->X509_STORE_unlock(store);
    return ends;
}

int64_t gosess_peer_ends(const SSL *ssl, const SSL_SESSION *session, X509_STORE *lists)
{
    int64_t now = (int64_t)time(NULL), ends = INT64_MAX;
    X509 *peer = gosess_ssl->SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session);
    if (!peer)
        return ends;
    ends = least(ends, gosess_ssl->X509_get0_notAfter(peer), now);
    const OPENSSL_STACK *chain = (const OPENSSL_STACK *)gosess_ssl->SSL_get0_verified_chain(ssl);
    int count = chain ? gosess_ssl->OPENSSL_sk_num(chain) : 0;
    for (int i = 0; i < count; i++)
        ends = least(ends, gosess_ssl->X509_get0_notAfter(gosess_ssl->OPENSSL_sk_value(chain, i)),
                     now);
    return lists ? least_of_lists(ends, lists, now) : ends;
}
