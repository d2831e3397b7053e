/* algorithms.c - whose implementations of algorithms a context of libssl uses. */
#define _GNU_SOURCE
#include "algorithms.h"

/*
 * A function that reports whether an algorithm of this type comes from the same provider with the
 * query as without it: two providers may have it, one of which the host has asked for (fips=yes).
 */
#define SAME(type)                                                     \
    static bool same_##type(const char *name, const char *query)       \
    {                                                                  \
        type *by_default = gosess_ssl->type##_fetch(NULL, name, NULL); \
        type *asked = gosess_ssl->type##_fetch(NULL, name, query);     \
        bool same = by_default && asked &&                             \
                    gosess_ssl->type##_get0_provider(by_default) ==    \
                        gosess_ssl->type##_get0_provider(asked);       \
        gosess_ssl->type##_free(by_default);                           \
        gosess_ssl->type##_free(asked);                                \
        return same;                                                   \
    }

SAME(EVP_CIPHER)
SAME(EVP_MAC)
SAME(EVP_MD)

bool gosess_has_default_algorithms(const OSSL_LIB_CTX *library, const char *query)
{
    if (library || !query)
        return !library;
    if (!gosess_ssl->EVP_CIPHER_fetch || !gosess_ssl->EVP_CIPHER_free ||
        !gosess_ssl->EVP_CIPHER_get0_provider || !gosess_ssl->EVP_MAC_fetch ||
        !gosess_ssl->EVP_MAC_free || !gosess_ssl->EVP_MAC_get0_provider ||
        !gosess_ssl->EVP_MD_fetch || !gosess_ssl->EVP_MD_free || !gosess_ssl->EVP_MD_get0_provider)
        return false;
    gosess_ssl->ERR_set_mark(); /* what nobody has is an error to libcrypto */
    bool same = same_EVP_CIPHER("AES-256-CBC", query) && same_EVP_MAC("HMAC", query) &&
                same_EVP_MD("SHA256", query);
    gosess_ssl->ERR_pop_to_mark();
    return same;
}
