/*
 * digest.c - SHA-256 of several things.
 *
 * By the functions of libcrypto that work without a provider: EVP_sha256 is fetched from the
 * default library context, which a host may have left empty (OSSL_PROVIDER-null(7)).
 */
#define _GNU_SOURCE
#include "digest.h"

#include <string.h>

#include "../base/locks.h"
#include "libssl.h"

void gosess_digest_begin(struct gosess_digest *digest)
{
    digest->ok = gosess_ssl->SHA256_Init(&digest->sha) == 1;
}

void gosess_digest_add(struct gosess_digest *digest, const void *data, size_t length)
{
    digest->ok = digest->ok && gosess_ssl->SHA256_Update(&digest->sha, data, length) == 1;
}

void gosess_digest_add_number(struct gosess_digest *digest, uint64_t number)
{
    gosess_digest_add(digest, &number, sizeof number);
}

void gosess_digest_add_text(struct gosess_digest *digest, const char *text)
{
    gosess_digest_add(digest, text ? text : "", text ? strlen(text) + 1 : 1);
}

void gosess_digest_add_der(struct gosess_digest *digest, unsigned char *der, int length)
{
    digest->ok = digest->ok && der && length > 0;
    gosess_digest_add_number(digest, (uint64_t)length);
    if (digest->ok)
        gosess_digest_add(digest, der, (size_t)length);
    gosess_ssl->CRYPTO_free(der, __FILE__, __LINE__);
}

bool gosess_digest_end(struct gosess_digest *digest, unsigned char out[GOSESS_DIGEST_SIZE])
{
    return digest->ok && gosess_ssl->SHA256_Final(out, &digest->sha) == 1;
}

bool gosess_digest_again(struct gosess_memo *memo, const void *bytes, size_t length,
                         unsigned char out[GOSESS_DIGEST_SIZE])
{
    struct gosess_digest digest;
    gosess_lock(GOSESS_LOCK_TERMS);
    bool known = memo->length == length && memcmp(memo->bytes, bytes, length) == 0;
    if (known)
        memcpy(out, memo->digest, GOSESS_DIGEST_SIZE);
    gosess_unlock(GOSESS_LOCK_TERMS);
    if (known)
        return true;
    gosess_digest_begin(&digest);
    gosess_digest_add(&digest, bytes, length);
    if (!gosess_digest_end(&digest, out))
        return false;
    gosess_lock(GOSESS_LOCK_TERMS);
    memo->length = length;
    memcpy(memo->bytes, bytes, length);
    memcpy(memo->digest, out, GOSESS_DIGEST_SIZE);
    gosess_unlock(GOSESS_LOCK_TERMS);
    return true;
}
