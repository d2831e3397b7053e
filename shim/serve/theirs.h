/* theirs.h - tickets that are not ours: what libssl would have done without us. */
#ifndef GOSESS_SERVE_THEIRS_H
#define GOSESS_SERVE_THEIRS_H

#include "../tickets/cipher.h"
#include "context.h"

/* What a ticket key callback answers (SSL_CTX_set_tlsext_ticket_key_cb(3)). */
enum gosess_ticket_answer {
    GOSESS_TICKET_FATAL = -1,
    GOSESS_TICKET_REFUSED = 0, /* a full handshake; where one is sealed: see below (T5) */
    GOSESS_TICKET_USED = 1,
    GOSESS_TICKET_RENEWED = 2, /* used, and another one is sent (T4) */
};

/*
 * The answer where nothing can seal a ticket: the handshake goes on, and the client has none. In
 * TLS 1.3 a libssl before 3.0.6 would send an empty one, which clients refuse: there it fails (T5).
 */
int gosess_ticket_none(const SSL *ssl);

/* Seals one that nobody opens, with keys that are not kept: where there are no keys for it. */
int gosess_ticket_nobodys(const SSL *ssl, unsigned char *name, unsigned char *iv,
                          const struct gosess_cipher *to);

/* Whether a callback is that of a host which sends no ticket where TLS 1.3 has used one (T12). */
bool gosess_ticket_forgets(uintptr_t callback);

/* Whether the host has ticket keys of its own by configuration. */
bool gosess_ticket_has_theirs(const struct gosess_context *context);

/* The answer of the host's callback; where there is none, that of the context's own key (T7). */
int gosess_ticket_theirs(struct gosess_context *context, SSL *ssl, unsigned char *name,
                         unsigned char *iv, const struct gosess_cipher *to, bool encrypts);

#endif
