/* derive.h - keys of session tickets, derived from a secret. */
#ifndef GOSESS_TICKETS_DERIVE_H
#define GOSESS_TICKETS_DERIVE_H

#include "../../shim.h"

#define GOSESS_TICKET_KEY_SIZE 32

/* HMAC-SHA256 (RFC 2104) under a key that is used often: half of its work is done. */
struct gosess_mac {
    SHA256_CTX inner, outer;
};

/* The keys of one secret for one identity: who may use its tickets. */
struct gosess_ticket_keys {
    unsigned char aes[GOSESS_TICKET_KEY_SIZE];
    unsigned char hmac[GOSESS_TICKET_KEY_SIZE];
    struct gosess_mac name; /* for what is in a ticket's name: name.h */
};

/* False where libcrypto fails. */
bool gosess_mac_begin(const unsigned char key[GOSESS_TICKET_KEY_SIZE], struct gosess_mac *mac);

/* That of two texts, one after the other. False where libcrypto fails. */
bool gosess_mac(const struct gosess_mac *mac, const void *first, size_t first_length,
                const void *second, size_t second_length, unsigned char out[GOSESS_DIGEST_SIZE]);

/* What a ticket says of the secret that it is sealed under; others learn nothing else from it. */
bool gosess_secret_id(const unsigned char secret[GOSESS_SECRET_SIZE],
                      unsigned char id[GOSESS_SECRET_ID_SIZE]);

/* HKDF-Expand (RFC 5869) of the secret, which is random and as long as a digest. */
bool gosess_ticket_keys_derive(const unsigned char secret[GOSESS_SECRET_SIZE],
                               const unsigned char identity[GOSESS_DIGEST_SIZE],
                               struct gosess_ticket_keys *keys);

#endif
