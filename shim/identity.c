/*
 * identity.c - who may share sessions with a context.
 *
 * The session id context is no isolation: HAProxy gives every context the same (S7).
 */
#define _GNU_SOURCE
#include "serve.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct fingerprint {
    unsigned char bytes[EVP_MAX_MD_SIZE];
};

static bool add(const struct gosess_libssl *libssl, EVP_MD_CTX *digest, const void *data,
                size_t length)
{
    return libssl->EVP_DigestUpdate(digest, data, length) == 1;
}

static bool add_number(const struct gosess_libssl *libssl, EVP_MD_CTX *digest, uint64_t number)
{
    return add(libssl, digest, &number, sizeof number);
}

static bool fingerprint(const struct gosess_libssl *libssl, const X509 *certificate,
                        struct fingerprint *out)
{
    memset(out, 0, sizeof(*out));
    return !certificate ||
           libssl->X509_digest(certificate, libssl->EVP_sha256(), out->bytes, NULL) == 1;
}

/* The names that a client is told to choose its certificate by. */
static bool add_ca_names(const struct gosess_libssl *libssl, EVP_MD_CTX *digest, SSL_CTX *ctx)
{
    const OPENSSL_STACK *names = (const OPENSSL_STACK *)libssl->SSL_CTX_get_client_CA_list(ctx);
    int count = names ? libssl->OPENSSL_sk_num(names) : 0;
    bool ok = add_number(libssl, digest, (uint64_t)count);
    for (int i = 0; ok && i < count; i++) {
        unsigned char *der = NULL;
        int length = libssl->i2d_X509_NAME(libssl->OPENSSL_sk_value(names, i), &der);
        ok = length > 0 && add_number(libssl, digest, (uint64_t)length) &&
             add(libssl, digest, der, (size_t)length);
        libssl->CRYPTO_free(der, __FILE__, __LINE__);
    }
    return ok;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fingerprint));
}

/* Of a certificate or a revocation list; false on failure. Nothing else is in a store. */
static bool fingerprint_object(const struct gosess_libssl *libssl, const X509_OBJECT *object,
                               struct fingerprint *out)
{
    memset(out, 0, sizeof(*out));
    if (libssl->X509_OBJECT_get_type(object) == X509_LU_X509)
        return fingerprint(libssl, libssl->X509_OBJECT_get0_X509(object), out);
    X509_CRL *list = libssl->X509_OBJECT_get0_X509_CRL((X509_OBJECT *)(uintptr_t)object);
    return !list || libssl->X509_CRL_digest(list, libssl->EVP_sha256(), out->bytes, NULL) == 1;
}

/* The fingerprints of what is in a store; their number, -1 on failure. */
static int read_trusted(const struct gosess_libssl *libssl, X509_STORE *store,
                        struct fingerprint **trusted)
{
    const OPENSSL_STACK *objects = (const OPENSSL_STACK *)libssl->X509_STORE_get0_objects(store);
    int count = libssl->OPENSSL_sk_num(objects);
    if (count <= 0)
        return 0;
    *trusted = calloc((size_t)count, sizeof(**trusted));
    for (int i = 0; *trusted && i < count; i++) {
        if (!fingerprint_object(libssl, libssl->OPENSSL_sk_value(objects, i), &(*trusted)[i]))
            return -1;
    }
    return *trusted ? count : -1;
}

/*
 * The certificates that a client's may be signed by, and the lists of those that are revoked,
 * sorted: the first lookup in a store changes their order.
 */
static bool add_trusted(const struct gosess_libssl *libssl, EVP_MD_CTX *digest, X509_STORE *store)
{
    struct fingerprint *trusted = NULL;
    if (!store)
        return true;
    libssl->X509_STORE_lock(store);
    int count = read_trusted(libssl, store, &trusted);
    libssl->X509_STORE_unlock(store);
    if (count > 0)
        qsort(trusted, (size_t)count, sizeof(*trusted), by_bytes);
    bool ok = count >= 0 && add(libssl, digest, trusted, (size_t)count * sizeof(*trusted));
    free(trusted);
    return ok;
}

enum naming { NOTHING, NAMED, OWN };

/* What only this context, and its copies in forked processes, can have in its digest. */
static bool add_own(const struct gosess_libssl *libssl, EVP_MD_CTX *digest,
                    const unsigned char *own, uint64_t number)
{
    return add_number(libssl, digest, OWN) && add(libssl, digest, own, GOSESS_OWN_SIZE) &&
           add_number(libssl, digest, number);
}

static bool add_function(const struct gosess_libssl *libssl, EVP_MD_CTX *digest,
                         const unsigned char *own, uint64_t address)
{
    struct gosess_function name;
    if (!address)
        return add_number(libssl, digest, NOTHING);
    if (!gosess_function_name(address, &name))
        return add_own(libssl, digest, own, address);
    return add_number(libssl, digest, NAMED) &&
           add(libssl, digest, name.object, strlen(name.object) + 1) &&
           add_number(libssl, digest, name.offset);
}

static bool add_callbacks(const struct gosess_libssl *libssl, EVP_MD_CTX *digest,
                          const unsigned char *own, const struct gosess_seen *seen)
{
    return add_function(libssl, digest, own, seen->callback) &&
           add_function(libssl, digest, own, seen->store_callback) &&
           add_function(libssl, digest, own, seen->verifier) &&
           (seen->argument ? add_own(libssl, digest, own, seen->argument)
                           : add_number(libssl, digest, NOTHING));
}

static bool add_policy(const struct gosess_libssl *libssl, EVP_MD_CTX *digest, SSL_CTX *ctx,
                       const unsigned char *own, const struct gosess_identity *identity)
{
    const struct gosess_seen *seen = &identity->seen;
    bool ok =
        add_number(libssl, digest, seen->mode) && add_number(libssl, digest, seen->security_level);
    if (seen->mode == SSL_VERIFY_NONE)
        return ok;
    return ok && add(libssl, digest, &seen->param, sizeof(seen->param)) &&
           add(libssl, digest, &seen->store_param, sizeof(seen->store_param)) &&
           add_callbacks(libssl, digest, own, seen) && add_ca_names(libssl, digest, ctx) &&
           add_trusted(libssl, digest, identity->store);
}

/* Both digests: the context's is of its certificate and of the policy's. */
static bool make_digests(const struct gosess_libssl *libssl, SSL_CTX *ctx, const unsigned char *own,
                         struct gosess_identity *identity)
{
    struct fingerprint certificate;
    EVP_MD_CTX *digest = libssl->EVP_MD_CTX_new();
    bool ok = digest && fingerprint(libssl, identity->certificate, &certificate) &&
              libssl->EVP_DigestInit_ex(digest, libssl->EVP_sha256(), NULL) == 1 &&
              add_policy(libssl, digest, ctx, own, identity) &&
              libssl->EVP_DigestFinal_ex(digest, identity->policy, NULL) == 1 &&
              libssl->EVP_DigestInit_ex(digest, libssl->EVP_sha256(), NULL) == 1 &&
              add(libssl, digest, &certificate, sizeof(certificate)) &&
              add(libssl, digest, identity->policy, sizeof(identity->policy)) &&
              libssl->EVP_DigestFinal_ex(digest, identity->digest, NULL) == 1;
    libssl->EVP_MD_CTX_free(digest);
    return ok;
}

bool gosess_identity_holds(const struct gosess_libssl *libssl, SSL_CTX *ctx,
                           const struct gosess_noted *noted, struct gosess_identity *identity)
{
    struct gosess_seen now;
    if (!gosess_look(libssl, ctx, noted, &now))
        return false;
    /* Once clients have been verified, libssl itself may have added to the trusted ones. */
    if (atomic_load(&identity->used))
        now.trusted = identity->seen.trusted;
    return memcmp(&now, &identity->seen, sizeof now) == 0;
}

/* Referenced, so that no other certificate or store can come to lie at its address. */
static bool keep(const struct gosess_libssl *libssl, struct gosess_identity *identity)
{
    if (identity->certificate && libssl->X509_up_ref(identity->certificate) != 1)
        return false;
    if (!identity->store || libssl->X509_STORE_up_ref(identity->store) == 1)
        return true;
    libssl->X509_free(identity->certificate);
    return false;
}

struct gosess_identity *gosess_identity_make(const struct gosess_libssl *libssl, SSL_CTX *ctx,
                                             const struct gosess_noted *noted,
                                             const unsigned char own[GOSESS_OWN_SIZE])
{
    struct gosess_identity *identity = calloc(1, sizeof(*identity));
    if (!identity)
        return NULL;
    libssl->ERR_set_mark();
    bool ok = gosess_look(libssl, ctx, noted, &identity->seen);
    identity->certificate = (X509 *)(uintptr_t)identity->seen.certificate;
    identity->store = (X509_STORE *)(uintptr_t)identity->seen.store;
    ok = ok && make_digests(libssl, ctx, own, identity) && keep(libssl, identity);
    libssl->ERR_pop_to_mark();
    if (ok)
        return identity;
    free(identity);
    return NULL;
}

void gosess_identity_free(const struct gosess_libssl *libssl, struct gosess_identity *identity)
{
    while (identity) {
        struct gosess_identity *before = identity->before;
        libssl->X509_free(identity->certificate);
        libssl->X509_STORE_free(identity->store);
        free(identity);
        identity = before;
    }
}
