/* extension.c - the part of a program that brings libssl with it, as a language's module does. */
#include "../../c/lib/hosts.h"

void extension_run(void);

void extension_run(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session;
    SSL_CTX_sess_set_new_cb(ctx, host_new);
    const char *first = full(ctx, &session, NULL);
    say("%s: %s", first, host_trace());
    SSL_CTX *other = new_server(); /* what libssl's own cache would not find */
    const char *second = again(other, session, NULL);
    say("%s: %s", second, host_trace());
    say("getter %d", SSL_CTX_sess_get_new_cb(ctx) == host_new);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    SSL_CTX_free(other);
}
