/* standin.h - a Go half in C that never finds a session. */
#include "../../../shim.h"

void gosess_core_new_session(SSL_SESSION *session, const struct gosess_scope *scope,
                             struct gosess_given *given)
{
    (void)session, (void)scope, (void)given;
}

SSL_SESSION *gosess_core_get_session(SSL *ssl, const unsigned char *id, int length,
                                     const struct gosess_scope *scope, struct gosess_given *given)
{
    (void)ssl, (void)id, (void)length, (void)scope, (void)given;
    return NULL;
}

void gosess_core_release(struct gosess_given *given, bool unproven)
{
    (void)given, (void)unproven;
}

void gosess_core_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx, (void)session;
}
