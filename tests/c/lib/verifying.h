/*
 * verifying.h - contexts that differ in one setting of how they verify clients.
 */
#ifndef GOSESS_TESTS_VERIFYING_H
#define GOSESS_TESTS_VERIFYING_H

#include "tls.h"

X509_STORE *store_of(const char *name); /* with the certificate of that name */
SSL_CTX *verifying(void);               /* a server that asks clients for one of "one" */

/* Says what becomes of a session of the first context at the second, and then at its own. */
void say_at(const char *what, SSL_CTX *first, SSL_CTX *second);

/*
 * Says what becomes of a session of a context without the setting at one with it; between two with
 * it; and at its own context, when that is set so later.
 */
void say_shared(SSL_CTX *(*make)(void), void (*set)(SSL_CTX *));

#define SETTING(name, make)           \
    static void with_##name(void)     \
    {                                 \
        say_shared(make, set_##name); \
    }

#endif
