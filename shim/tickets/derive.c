/*
 * derive.c - keys of session tickets, derived from a secret.
 *
 * By the functions of libcrypto that need no provider, as in ssl/digest.c, and without memory of
 * the heap: this is part of handshakes.
 */
#define _GNU_SOURCE
#include "derive.h"

#include <string.h>

#include "../ssl/libssl.h"

#define BLOCK SHA256_CBLOCK

/* What a secret is used for. None begins as another one does. */
static const char id_label[] = "gosess ticket: id";
static const char keys_label[] = "gosess ticket: keys of ";

/* A hash that begins with a block of the key, and of what fills it up. */
static bool begin(SHA256_CTX *hash, const unsigned char *key, unsigned char pad)
{
    unsigned char block[BLOCK];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < GOSESS_TICKET_KEY_SIZE; i++)
        block[i] ^= key[i];
    bool ok = gosess_ssl->SHA256_Init(hash) == 1 &&
              gosess_ssl->SHA256_Update(hash, block, sizeof block) == 1;
    explicit_bzero(block, sizeof block);
    return ok;
}

bool gosess_keyed(const struct gosess_keyed *keyed, const void *first, size_t first_length,
                  const void *second, size_t second_length, unsigned char out[GOSESS_KEYED_SIZE])
{
    unsigned char digest[GOSESS_DIGEST_SIZE];
    SHA256_CTX hash = keyed->begun;
    bool ok = gosess_ssl->SHA256_Update(&hash, first, first_length) == 1 &&
              gosess_ssl->SHA256_Update(&hash, second, second_length) == 1 &&
              gosess_ssl->SHA256_Final(digest, &hash) == 1;
    memcpy(out, digest, GOSESS_KEYED_SIZE);
    explicit_bzero(digest, sizeof digest);
    explicit_bzero(&hash, sizeof hash);
    return ok;
}

/* HMAC-SHA256 (RFC 2104). */
static bool hmac_of(const unsigned char key[GOSESS_TICKET_KEY_SIZE], const void *text,
                    size_t length, unsigned char out[GOSESS_DIGEST_SIZE])
{
    SHA256_CTX hash;
    bool ok = begin(&hash, key, 0x36) && gosess_ssl->SHA256_Update(&hash, text, length) == 1 &&
              gosess_ssl->SHA256_Final(out, &hash) == 1 && begin(&hash, key, 0x5c) &&
              gosess_ssl->SHA256_Update(&hash, out, GOSESS_DIGEST_SIZE) == 1 &&
              gosess_ssl->SHA256_Final(out, &hash) == 1;
    explicit_bzero(&hash, sizeof hash);
    return ok;
}

bool gosess_secret_id(const unsigned char secret[GOSESS_SECRET_SIZE],
                      unsigned char id[GOSESS_SECRET_ID_SIZE])
{
    unsigned char digest[GOSESS_DIGEST_SIZE];
    if (!hmac_of(secret, id_label, sizeof id_label, digest))
        return false;
    memcpy(id, digest, GOSESS_SECRET_ID_SIZE);
    return true;
}

bool gosess_ticket_keys_derive(const unsigned char secret[GOSESS_SECRET_SIZE],
                               const unsigned char identity[GOSESS_DIGEST_SIZE],
                               struct gosess_ticket_keys *keys)
{
    unsigned char name[GOSESS_TICKET_KEY_SIZE];
    unsigned char *const parts[] = {keys->aes, keys->hmac, name};
    unsigned char text[GOSESS_DIGEST_SIZE + sizeof keys_label - 1 + GOSESS_DIGEST_SIZE + 1];
    unsigned char *info = text + GOSESS_DIGEST_SIZE, *number = text + sizeof text - 1;
    bool ok = true;
    memcpy(info, keys_label, sizeof keys_label - 1);
    memcpy(info + sizeof keys_label - 1, identity, GOSESS_DIGEST_SIZE);
    for (size_t i = 0; ok && i < sizeof parts / sizeof *parts; i++) {
        const unsigned char *from = i == 0 ? info : text; /* T(i-1), info, i */
        if (i > 0)
            memcpy(text, parts[i - 1], GOSESS_DIGEST_SIZE);
        *number = (unsigned char)(i + 1);
        ok = hmac_of(secret, from, (size_t)(number + 1 - from), parts[i]);
    }
    ok = ok && begin(&keys->name.begun, name, 0);
    explicit_bzero(name, sizeof name);
    explicit_bzero(text, sizeof text);
    return ok;
}
