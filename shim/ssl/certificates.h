/* certificates.h - the certificates that a connection has for its client. */
#ifndef GOSESS_SSL_CERTIFICATES_H
#define GOSESS_SSL_CERTIFICATES_H

#include "../../shim.h"

#define GOSESS_CERTIFICATES_MAX 16 /* more than kinds of keys that a server has */

struct gosess_certificates {
    size_t count;
    X509 *certificate[GOSESS_CERTIFICATES_MAX];
};

/* The certificates that the connections of a context had last. */
struct gosess_presented {
    bool known;
    struct gosess_certificates list; /* with references */
    unsigned char digest[GOSESS_DIGEST_SIZE];
};

/* The digest of a certificate's DER. */
bool gosess_fingerprint(const X509 *certificate, unsigned char out[GOSESS_DIGEST_SIZE]);

/*
 * The digest of the certificates that a connection has; presented is what those of its context had
 * last. False where it is not known.
 */
bool gosess_certificates_digest(SSL *ssl, struct gosess_presented *presented,
                                unsigned char out[GOSESS_DIGEST_SIZE]);

void gosess_presented_free(struct gosess_presented *presented);

/*
 * The last second in which every certificate of a peer's is valid that is so now, and every
 * revocation list of the store that its were looked up in, which may be NULL; INT64_MAX where there
 * is none. Of a connection that has resumed only the peer's own certificate is known. It takes
 * X509_STORE_lock.
 */
int64_t gosess_peer_ends(const SSL *ssl, const SSL_SESSION *session, X509_STORE *lists);

#endif
