/* copies.c - copies of sessions that take long to make of their DER. */
#define _GNU_SOURCE
#include "copies.h"

#include "../ssl/libssl.h"
#include "der.h"

/* Of a peer's certificate, in bytes of DER: what is made of its extensions may be ten times that.
 */
#define CERTIFICATE_MAX 3072

static SSL_SESSION *copy(SSL_SESSION *session)
{
    gosess_ssl->ERR_set_mark();
    SSL_SESSION *made = gosess_ssl->SSL_SESSION_dup(session);
    gosess_ssl->ERR_pop_to_mark();
    return made;
}

SSL_SESSION *gosess_copy_to_keep(SSL_SESSION *session)
{
    X509 *peer = gosess_ssl->SSL_SESSION_get0_peer(session);
    if (!peer || gosess_ssl->i2d_X509(peer, NULL) > CERTIFICATE_MAX)
        return NULL;
    return copy(session);
}

/*
 * A lookup gives every connection an object of its own, as decoding does: libssl writes to it (in
 * TLS 1.3 the cipher, for one), and so do hosts.
 */
SSL_SESSION *gosess_copy_to_use(SSL_SESSION *kept, int64_t expires)
{
    SSL_SESSION *session = copy(kept);
    if (session)
        gosess_cap(session, expires);
    return session;
}
