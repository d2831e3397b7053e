/* policy.h - how a context decides on clients, as a digest. */
#ifndef GOSESS_SSL_POLICY_H
#define GOSESS_SSL_POLICY_H

#include "verification.h"

/* A context's policy for client certificates, as it was when it was looked at last. */
struct gosess_policy {
    bool known;
    struct gosess_verification verification;   /* with a reference on the store */
    unsigned char trusted[GOSESS_DIGEST_SIZE]; /* what is in the store */
    unsigned char digest[GOSESS_DIGEST_SIZE];
};

/*
 * The digest of the security level and the policy for client certificates of a context: struct
 * gosess_verification, with the CA names, the trusted certificates and the revocation lists. The
 * same in every process and after every restart with the same configuration and binaries, but for
 * what has no name there, as functions of the host's have none: then it covers the random bytes of
 * the owner. False where not all can be known, or memory or libcrypto fails. policy is what was
 * looked at last, or nothing. It takes X509_STORE_lock, which a host may hold when it calls us, and
 * no lock of gosess meanwhile.
 */
bool gosess_policy_digest(struct gosess_policy *policy, SSL_CTX *ctx,
                          const struct gosess_owner *owner, const struct gosess_observed *observed,
                          unsigned char out[GOSESS_DIGEST_SIZE]);

void gosess_policy_free(struct gosess_policy *policy);

#endif
