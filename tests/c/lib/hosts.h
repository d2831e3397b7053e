/*
 * hosts.h - a host's own session cache: the three callbacks, what they were called with, and
 * the sessions that they keep.
 */
#ifndef GOSESS_TESTS_HOSTS_H
#define GOSESS_TESTS_HOSTS_H

#include "tls.h"

/* What the callbacks do; a program sets it before they are called. */
struct host {
    bool keeps;     /* new returns 1 and keeps its reference, get finds it */
    bool transfers; /* get gives a reference away: copy is 0 */
    bool quiet;     /* no trace */
};
extern struct host host;

int host_new(SSL *ssl, SSL_SESSION *session);
void host_remove(SSL_CTX *ctx, SSL_SESSION *session);
SSL_SESSION *host_get(SSL *ssl, const unsigned char *id, int length, int *copy);
void use_host_callbacks(SSL_CTX *ctx);
void host_forget(void); /* frees what was kept */

/* The calls since the last one of this: "new get(hit) remove"; "-" where there was none. */
const char *host_trace(void);
/* Adds a word to it. */
void trace(const char *word);

/*
 * Live SSL_SESSION objects of this process. Call it once before the first is made. gosess does not
 * see that they are counted: what a host that keeps something with its sessions is given are the
 * objects of its own process only (CRYPTO_get_ex_new_index(3)), and nothing is shared.
 */
long live_sessions(void);

#endif
