/* digest.h - SHA-256 of several things. */
#ifndef GOSESS_SSL_DIGEST_H
#define GOSESS_SSL_DIGEST_H

#include "../../shim.h"

/* A digest that is being made; it fails at its end if anything before has failed. */
struct gosess_digest {
    SHA256_CTX sha;
    bool ok;
};

void gosess_digest_begin(struct gosess_digest *digest);
void gosess_digest_add(struct gosess_digest *digest, const void *data, size_t length);
void gosess_digest_add_number(struct gosess_digest *digest, uint64_t number);
void gosess_digest_add_text(struct gosess_digest *digest, const char *text); /* NULL is "" */
/* Of libcrypto's allocation, which is freed; NULL, or a length that is not positive: it fails. */
void gosess_digest_add_der(struct gosess_digest *digest, unsigned char *der, int length);
bool gosess_digest_end(struct gosess_digest *digest, unsigned char out[GOSESS_DIGEST_SIZE]);

#define GOSESS_MEMO_SIZE 128

/* What was digested last, of a few bytes, and its digest. All 0: nothing. With the terms lock. */
struct gosess_memo {
    size_t length;
    unsigned char bytes[GOSESS_MEMO_SIZE];
    unsigned char digest[GOSESS_DIGEST_SIZE];
};

/* The digest of no more than GOSESS_MEMO_SIZE bytes, which are most often those of last time. */
bool gosess_digest_again(struct gosess_memo *memo, const void *bytes, size_t length,
                         unsigned char out[GOSESS_DIGEST_SIZE]);

#define GOSESS_FNV_START UINT64_C(0xcbf29ce484222325)

/* FNV-1a in 64 bits, begun with GOSESS_FNV_START: for what nobody gains by making alike. */
static inline uint64_t gosess_fnv(uint64_t sum, const void *data, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)data;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

#endif
