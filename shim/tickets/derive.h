/* derive.h - keys of session tickets, derived from a secret. */
#ifndef GOSESS_TICKETS_DERIVE_H
#define GOSESS_TICKETS_DERIVE_H

#include "../../shim.h"

#define GOSESS_TICKET_KEY_SIZE 32

/*
 * A keyed hash for what is hashed often: SHA-256 of a block that the key is in, which is done, and
 * of the text. Of its digest 8 bytes are used at the most, from which nobody can go on to the
 * digest of a longer text, so it needs not the second hash that HMAC has for that.
 */
struct gosess_keyed {
    SHA256_CTX begun;
};

#define GOSESS_KEYED_SIZE 8

/* The keys of one secret for one identity: who may use its tickets. */
struct gosess_ticket_keys {
    unsigned char aes[GOSESS_TICKET_KEY_SIZE];
    unsigned char hmac[GOSESS_TICKET_KEY_SIZE];
    struct gosess_keyed name; /* for what is in a ticket's name: name.h */
};

/* That of two texts, one after the other. False where libcrypto fails. */
bool gosess_keyed(const struct gosess_keyed *keyed, const void *first, size_t first_length,
                  const void *second, size_t second_length, unsigned char out[GOSESS_KEYED_SIZE]);

/* What a ticket says of the secret that it is sealed under; others learn nothing else from it. */
bool gosess_secret_id(const unsigned char secret[GOSESS_SECRET_SIZE],
                      unsigned char id[GOSESS_SECRET_ID_SIZE]);

/* HKDF-Expand (RFC 5869) of the secret, which is random and as long as a digest. */
bool gosess_ticket_keys_derive(const unsigned char secret[GOSESS_SECRET_SIZE],
                               const unsigned char identity[GOSESS_DIGEST_SIZE],
                               struct gosess_ticket_keys *keys);

#endif
