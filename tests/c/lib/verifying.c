/* verifying.c - contexts that differ in how they verify clients. */
#include "verifying.h"

#include <string.h>

X509_STORE *store_of(const char *name)
{
    X509_STORE *store = X509_STORE_new();
    MUST(store && X509_STORE_add_cert(store, certificate_of(name)));
    return store;
}

SSL_CTX *verifying(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_store(ctx, store_of("one"));
    return ctx;
}

void say_at(const char *what, SSL_CTX *first, SSL_CTX *second)
{
    SSL_SESSION *session;
    MUST(strcmp(full(first, &session, NULL), "full") == 0);
    say("%s: %s", what, again(second, session, NULL));
    say("owner: %s", again(first, session, NULL));
    SSL_SESSION_free(session);
}

void say_shared(SSL_CTX *(*make)(void), void (*set)(SSL_CTX *))
{
    SSL_CTX *without = make(), *first = make(), *second = make();
    SSL_SESSION *session;
    set(first);
    set(second);
    say_at("differs", without, first);
    say_at("same", first, second);
    full(without, &session, NULL);
    set(without);
    say("set later: %s", again(without, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(without);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}
