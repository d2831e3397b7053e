/*
 * identity.c - clients that are known by something else than a certificate: by a pre-shared key, or
 * a password (SRP), which a callback of the host's looks up.
 *
 * It is not asked again where a session is resumed, and may know the client no more. It says
 * nothing of the sessions of other clients.
 */
#define _GNU_SOURCE
#include "identity.h"

#include <openssl/obj_mac.h>
#include <stdatomic.h>

#include "../ssl/libssl.h"

/*
 * libssl has read the identities when it looks for a session, and not yet the list of binders,
 * which is the rest of the extension (RFC 8446, section 4.2.11). An identity without one is of no
 * use.
 */
bool gosess_offers_one_key(SSL *ssl)
{
    const unsigned char *binders = NULL;
    size_t length = 0;
    if (gosess_ssl->SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &binders, &length) != 1 ||
        length < 3)
        return false;
    size_t all = (size_t)binders[0] << 8 | binders[1], first = binders[2];
    return all == length - 2 && all == 1 + first;
}

static bool is_known_by_cipher(const SSL_SESSION *session)
{
    const SSL_CIPHER *cipher = gosess_ssl->SSL_SESSION_get0_cipher(session);
    switch (cipher ? gosess_ssl->SSL_CIPHER_get_kx_nid(cipher) : NID_undef) {
    case NID_kx_rsa:
    case NID_kx_dhe:
    case NID_kx_ecdhe:
        return false;
    default:
        return true;
    }
}

/*
 * The session that gosess has given to the handshake, and no key: libssl asks the host for a key
 * before it looks the same identity up as a session, and takes the first that it can use.
 */
static bool resumes_given(const struct gosess_connection *connection)
{
    return connection->by_session.object && connection->sole &&
           gosess_connection_has_asked(connection);
}

/* In TLS 1.3 a key that is found is a session, which the connection is said to resume. */
bool gosess_may_be_identified(const struct gosess_connection *connection,
                              const SSL_SESSION *session)
{
    if (gosess_ssl->SSL_SESSION_get_protocol_version(session) != TLS1_3_VERSION)
        return is_known_by_cipher(session);
    return gosess_ssl->SSL_session_reused(connection->ssl) && !resumes_given(connection);
}
