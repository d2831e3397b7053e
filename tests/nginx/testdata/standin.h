/* standin.h - a Go half in C that never finds a session. */
#include "../../../shim.h"

int gosess_core_new_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    return 0;
}

SSL_SESSION *gosess_core_get_session(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)id, (void)length, (void)copy;
    return NULL;
}

void gosess_core_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx, (void)session;
}
