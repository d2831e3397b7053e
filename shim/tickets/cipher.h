/* cipher.h - what libssl's ticket key callbacks are handed, of either kind, and what is set there.
 */
#ifndef GOSESS_TICKETS_CIPHER_H
#define GOSESS_TICKETS_CIPHER_H

#include "derive.h"

/*
 * What a ticket is sealed or opened with: SSL_CTX_set_tlsext_ticket_key_cb(3). Of hmac and mac one
 * is there: the first for the callback that all versions have, the other for that of 3.0.
 */
struct gosess_cipher {
    EVP_CIPHER_CTX *cipher;
    HMAC_CTX *hmac;
    EVP_MAC_CTX *mac;
};

/* Both keys have GOSESS_TICKET_KEY_SIZE bytes. False where libcrypto cannot. */
bool gosess_cipher_set(const struct gosess_cipher *to, const unsigned char *aes,
                       const unsigned char *hmac, const unsigned char *iv, bool encrypts);

#endif
