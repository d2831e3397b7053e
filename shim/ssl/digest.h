/* digest.h - SHA-256 of several things. */
#ifndef GOSESS_SSL_DIGEST_H
#define GOSESS_SSL_DIGEST_H

#include "../../shim.h"

/* A digest that is being made; it fails at its end if anything before has failed. */
struct gosess_digest {
    SHA256_CTX context;
    bool ok;
};

void gosess_digest_begin(struct gosess_digest *digest);
void gosess_digest_add(struct gosess_digest *digest, const void *data, size_t length);
void gosess_digest_add_number(struct gosess_digest *digest, uint64_t number);
void gosess_digest_add_text(struct gosess_digest *digest, const char *text); /* NULL is "" */
/* Of libcrypto's allocation, which is freed; NULL, or a length that is not positive: it fails. */
void gosess_digest_add_der(struct gosess_digest *digest, unsigned char *der, int length);
bool gosess_digest_end(struct gosess_digest *digest, unsigned char out[GOSESS_DIGEST_SIZE]);

#endif
