/* copies.c - copies of sessions that take long to make of their DER. */
#include "glue.h"

static const struct gosess_libssl *libssl;

/* Of a peer's certificate, in bytes of DER: what is made of its extensions may be ten times that.
 */
#define CERTIFICATE_MAX 3072

/* More than programs have: what the host keeps with a session is its own, and may not be copied. */
#define EX_DATA_MAX 64

void gosess_copies_start(const struct gosess_libssl *table)
{
    libssl = table;
}

static bool has_ex_data(const SSL_SESSION *session)
{
    for (int i = 0; i < EX_DATA_MAX; i++)
        if (libssl->SSL_SESSION_get_ex_data(session, i))
            return true;
    return false;
}

static SSL_SESSION *copy(SSL_SESSION *session)
{
    libssl->ERR_set_mark();
    SSL_SESSION *copy = libssl->SSL_SESSION_dup(session);
    libssl->ERR_pop_to_mark();
    return copy;
}

SSL_SESSION *gosess_copy_to_keep(SSL_SESSION *session)
{
    X509 *peer = libssl->SSL_SESSION_get0_peer(session);
    if (!peer || libssl->i2d_X509(peer, NULL) > CERTIFICATE_MAX || has_ex_data(session))
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
