/*
 * sites.h - servers that a name leads to: a first context, and others that its connections are
 * switched to by the server name, as servers with virtual hosts do it.
 */
#ifndef GOSESS_TESTS_SITES_H
#define GOSESS_TESTS_SITES_H

#include "tls.h"

/* Before libssl looks for the session (HAProxy, httpd), or after it has looked (nginx; L1). */
enum moment { EARLY, LATE };
extern const char *const moment_names[2];

struct site {
    const char *name; /* NULL ends a list */
    SSL_CTX *ctx;
};

/*
 * The connections of first are switched to the site of their name, and take over how it verifies
 * clients; without one of these names they stay. The list is looked at in each handshake, and
 * there is one such list in a process.
 */
void use_sites(SSL_CTX *first, enum moment moment, const struct site *sites);

/* Gives a server's context the demand for a certificate of that client. */
void demand(SSL_CTX *ctx, const char *client);

#endif
