/* tickethost.h - what a host itself has to do with the keys of tickets. */
#ifndef GOSESS_SERVE_TICKETHOST_H
#define GOSESS_SERVE_TICKETHOST_H

#include "../../shim.h" /* before a header of libssl: OPENSSL_SUPPRESS_DEPRECATED */

typedef int (*gosess_ticket_cb)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *,
                                HMAC_CTX *, int);
typedef int (*gosess_ticket_evp_cb)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *,
                                    EVP_MAC_CTX *, int);

/* What a host has set for the keys of tickets: libssl has no getter for the callbacks. */
struct gosess_ticket_hosts {
    _Atomic gosess_ticket_cb callback; /* SSL_CTX_set_tlsext_ticket_key_cb */
    _Atomic gosess_ticket_evp_cb evp;  /* SSL_CTX_set_tlsext_ticket_key_evp_cb */
    _Atomic bool keys;                 /* it has set some, or asked for libssl's, to share them */
    _Atomic uint64_t data;             /* which functions put data into tickets; 0: none */
    _Atomic bool ours;                 /* libssl holds ours */
    _Atomic bool forgets; /* its callback forgets that TLS 1.3 uses each ticket once (T12) */
};

#endif
