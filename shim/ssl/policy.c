/*
 * policy.c - how a context decides on clients, as a digest that is the same in every process and
 * after every restart with the same configuration and binaries.
 */
#define _GNU_SOURCE
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "../base/locks.h"
#include "certificates.h"
#include "digest.h"
#include "function.h"
#include "libssl.h"

struct fingerprint {
    unsigned char bytes[GOSESS_DIGEST_SIZE];
};

/* The names that a client is told to choose its certificate by. */
static void add_ca_names(struct gosess_digest *digest, SSL_CTX *ctx)
{
    const OPENSSL_STACK *names = (const OPENSSL_STACK *)gosess_ssl->SSL_CTX_get_client_CA_list(ctx);
    int count = names ? gosess_ssl->OPENSSL_sk_num(names) : 0;
    gosess_digest_add_number(digest, (uint64_t)count);
    for (int i = 0; i < count; i++) {
        unsigned char *der = NULL;
        int length = gosess_ssl->i2d_X509_NAME(gosess_ssl->OPENSSL_sk_value(names, i), &der);
        gosess_digest_add_der(digest, der, length);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fingerprint));
}

/* Of a certificate or a revocation list; false on failure. Nothing else is in a store. */
static bool fingerprint_object(const X509_OBJECT *object, struct fingerprint *out)
{
    if (gosess_ssl->X509_OBJECT_get_type(object) == X509_LU_X509)
        return gosess_fingerprint(gosess_ssl->X509_OBJECT_get0_X509(object), out->bytes);
    X509_CRL *list = gosess_ssl->X509_OBJECT_get0_X509_CRL((X509_OBJECT *)(uintptr_t)object);
    unsigned char *der = NULL;
    struct gosess_digest digest;
    int length = list ? gosess_ssl->i2d_X509_CRL(list, &der) : -1;
    gosess_digest_begin(&digest);
    gosess_digest_add_der(&digest, der, length);
    return gosess_digest_end(&digest, out->bytes);
}

/* The fingerprints of what is in a store; their number, -1 on failure. */
static int read_trusted(X509_STORE *store, struct fingerprint **trusted)
{
    const OPENSSL_STACK *objects =
        (const OPENSSL_STACK *)gosess_ssl->X509_STORE_get0_objects(store);
    int count = gosess_ssl->OPENSSL_sk_num(objects);
    if (count <= 0)
        return 0;
    *trusted = calloc((size_t)count, sizeof(**trusted));
    for (int i = 0; *trusted && i < count; i++) {
        if (!fingerprint_object(gosess_ssl->OPENSSL_sk_value(objects, i), &(*trusted)[i]))
            return -1;
    }
    return *trusted ? count : -1;
}

/*
 * The certificates that a client's may be signed by, and the lists of those that are revoked,
 * sorted: the first lookup in a store changes their order. Takes X509_STORE_lock.
 */
static bool digest_trusted(X509_STORE *store, unsigned char out[GOSESS_DIGEST_SIZE])
{
    struct fingerprint *trusted = NULL;
    struct gosess_digest digest;
    int count = 0;
    if (store) {
        gosess_ssl->X509_STORE_lock(store);
        count = read_trusted(store, &trusted);
        gosess_ssl->X509_STORE_unlock(store);
    }
    if (count > 0)
        qsort(trusted, (size_t)count, sizeof(*trusted), by_bytes);
    gosess_digest_begin(&digest);
    if (count > 0)
        gosess_digest_add(&digest, trusted, (size_t)count * sizeof(*trusted));
    free(trusted);
    return count >= 0 && gosess_digest_end(&digest, out);
}

enum naming { NOTHING, NAMED, OWN };

/* What only this context, and its copies in forked processes, can have in its digest. */
static void add_own(struct gosess_digest *digest, const unsigned char *own, uint64_t number)
{
    gosess_digest_add_number(digest, OWN);
    gosess_digest_add(digest, own, GOSESS_DIGEST_SIZE);
    gosess_digest_add_number(digest, number);
}

/* A function of the host's may judge by anything: what it reads now, only this context can have. */
static void add_function(struct gosess_digest *digest, const unsigned char *own, uint64_t address)
{
    if (address)
        add_own(digest, own, address);
    else
        gosess_digest_add_number(digest, NOTHING);
}

/*
 * Programs whose verify callback of a context judges by nothing of its own (S11), by the object
 * that the code lies in.
 */
static const char *const do_not_judge[] = {"nginx", "mosquitto"};

static void add_callback(struct gosess_digest *digest, const unsigned char *own, uint64_t address)
{
    struct gosess_function name;
    if (address &&
        gosess_function_is_of(address, do_not_judge, sizeof do_not_judge / sizeof *do_not_judge) &&
        gosess_function_name(address, &name)) {
        gosess_digest_add_number(digest, NAMED);
        gosess_digest_add_text(digest, name.object);
        gosess_digest_add(digest, name.build, sizeof name.build);
        gosess_digest_add_number(digest, name.offset);
    } else {
        add_function(digest, own, address);
    }
}

static bool digest_policy(SSL_CTX *ctx, const struct gosess_owner *owner,
                          const struct gosess_verification *verification,
                          const unsigned char *trusted, unsigned char out[GOSESS_DIGEST_SIZE])
{
    const unsigned char *own = owner->random;
    struct gosess_digest digest;
    gosess_digest_begin(&digest);
    gosess_digest_add_number(&digest, verification->mode);
    gosess_digest_add_number(&digest, verification->security_level);
    add_function(&digest, own, verification->security_callback);
    if (verification->mode == SSL_VERIFY_NONE)
        return gosess_digest_end(&digest, out);
    gosess_digest_add(&digest, &verification->param, sizeof(verification->param));
    gosess_digest_add(&digest, &verification->store_param, sizeof(verification->store_param));
    add_callback(&digest, own, verification->callback);
    add_function(&digest, own, verification->store_callback);
    add_function(&digest, own, verification->verifier);
    for (int i = 0; i < GOSESS_STORE_FUNCTIONS; i++)
        add_function(&digest, own, verification->store_functions[i]);
    if (verification->argument)
        add_own(&digest, own, verification->argument);
    gosess_digest_add_number(&digest, verification->signatures);
    gosess_digest_add_number(&digest, verification->client_signatures);
    gosess_digest_add_number(&digest, verification->client_types);
    add_ca_names(&digest, ctx);
    gosess_digest_add(&digest, trusted, GOSESS_DIGEST_SIZE);
    return gosess_digest_end(&digest, out);
}

/* --- as it is now --- */

/* Whether nothing has changed. */
static bool same(const struct gosess_policy *policy, const struct gosess_verification *now)
{
    const struct gosess_verification *before = &policy->verification;
    if (now->mode == SSL_VERIFY_NONE) /* all else is 0 */
        return policy->known && before->mode == SSL_VERIFY_NONE &&
               before->security_level == now->security_level &&
               before->security_callback == now->security_callback;
    return policy->known && memcmp(now, before, sizeof *now) == 0;
}

/* What is in a store takes long to read, and most changes are not of it. With the lock. */
static bool same_trusted(const struct gosess_policy *policy, const struct gosess_verification *now)
{
    return policy->known && now->store == policy->verification.store &&
           now->trusted == policy->verification.trusted &&
           now->changes == policy->verification.changes && now->mode != SSL_VERIFY_NONE &&
           policy->verification.mode != SSL_VERIFY_NONE;
}

/*
 * Keeps what was worked out. With a reference on the store, so that no other one comes to lie at
 * its address.
 */
static void keep(struct gosess_policy *policy, const struct gosess_policy *made)
{
    X509_STORE *store = (X509_STORE *)(uintptr_t)made->verification.store;
    if (store && gosess_ssl->X509_STORE_up_ref(store) != 1)
        return;
    gosess_lock(GOSESS_LOCK_TERMS);
    X509_STORE *before = policy->known ? (X509_STORE *)(uintptr_t)policy->verification.store : NULL;
    policy->known = true;
    policy->verification = made->verification;
    memcpy(policy->trusted, made->trusted, sizeof policy->trusted);
    memcpy(policy->digest, made->digest, sizeof policy->digest);
    gosess_unlock(GOSESS_LOCK_TERMS);
    gosess_ssl->X509_STORE_free(before);
}

/* False where memory or libcrypto fails. Not with a lock of gosess: it takes X509_STORE_lock. */
static bool work_out(SSL_CTX *ctx, const struct gosess_owner *owner, struct gosess_policy *made)
{
    bool ok = made->known || made->verification.mode == SSL_VERIFY_NONE ||
              digest_trusted((X509_STORE *)(uintptr_t)made->verification.store, made->trusted);
    return ok && digest_policy(ctx, owner, &made->verification, made->trusted, made->digest);
}

bool gosess_policy_digest(struct gosess_policy *policy, SSL_CTX *ctx,
                          const struct gosess_owner *owner, const struct gosess_observed *observed,
                          unsigned char out[GOSESS_DIGEST_SIZE])
{
    struct gosess_policy made;
    if (!gosess_read_verification(ctx, observed, &made.verification))
        return false;
    gosess_lock(GOSESS_LOCK_TERMS);
    bool known = same(policy, &made.verification);
    if (known) {
        memcpy(out, policy->digest, sizeof policy->digest);
    } else {
        made.known = same_trusted(policy, &made.verification);
        memcpy(made.trusted, policy->trusted, sizeof made.trusted);
    }
    gosess_unlock(GOSESS_LOCK_TERMS);
    if (known)
        return true;
    gosess_ssl->ERR_set_mark();
    bool ok = work_out(ctx, owner, &made);
    gosess_ssl->ERR_pop_to_mark();
    if (ok) {
        keep(policy, &made);
        memcpy(out, made.digest, sizeof made.digest);
    }
    return ok;
}

void gosess_policy_free(struct gosess_policy *policy)
{
    if (policy->known)
        gosess_ssl->X509_STORE_free((X509_STORE *)(uintptr_t)policy->verification.store);
}
