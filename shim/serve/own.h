/* own.h - rules for clients that a connection has of its own. */
#ifndef GOSESS_SERVE_OWN_H
#define GOSESS_SERVE_OWN_H

#include "../../shim.h"

/*
 * 0 where a connection decides on its client as its context does; else a number that says something
 * in this process, the same for connections of which no difference is known.
 */
uint64_t gosess_own_rules(SSL *ssl);

/*
 * What else libssl refuses a client by, or fails its handshake. An SSL has all of it, and keeps
 * what it has from its first context when it is switched, but for the flags. No padding.
 */
struct gosess_limits {
    uint64_t options; /* those that a session must have been made under */
    /* The rest is 0 where the client is not verified. */
    uint64_t flags;   /* SSL_CTX_set_cert_flags(3), and SUITEB of a list of ciphers */
    uint64_t largest; /* SSL_CTX_set_max_cert_list(3) */
    uint64_t groups;  /* up to TLS 1.2 those of a client's key too */
};

struct gosess_connection;
void gosess_read_limits(SSL *ssl, const struct gosess_connection *connection,
                        struct gosess_limits *limits);

#endif
