/* der.h - what gosess asks libssl about a session: its bytes, its size, its end. Any thread. */
#ifndef GOSESS_SERVE_DER_H
#define GOSESS_SERVE_DER_H

#include "../../shim.h"

/* DER of libcrypto's allocation; NULL where it fails. gosess_free_der zeroes it. */
unsigned char *gosess_encode(SSL_SESSION *session, int *length);
void gosess_free_der(unsigned char *der, int length);

/*
 * A new object with one reference; NULL where the bytes are not the session of that id, whole. It
 * ends then, unix seconds.
 */
SSL_SESSION *gosess_decode(const unsigned char *der, size_t der_length, const unsigned char *id,
                           unsigned id_length, int64_t expires);

/* The same, where many are alike: what they have in common is kept (molds.h). */
SSL_SESSION *gosess_decode_often(const unsigned char *der, size_t der_length,
                                 const unsigned char *id, unsigned id_length, int64_t expires);

/* Whether that is the session's id. */
bool gosess_has_id(const SSL_SESSION *session, const unsigned char *id, unsigned id_length);

/* Bytes that an object takes up, about; chain is that of the peer, in bytes of DER. */
int gosess_object_size(const SSL_SESSION *session, int chain);

/* When a session is over, in unix seconds: a host may have set any time and timeout. */
int64_t gosess_end_of(const SSL_SESSION *session);

/* Has a session end no later than this, unix seconds. */
void gosess_cap(SSL_SESSION *session, int64_t expires);

/* Has it end no earlier. */
void gosess_prolong(SSL_SESSION *session, int64_t expires);

/* struct gosess_start. */
bool gosess_same_object(SSL_SESSION *session, SSL_SESSION *other);
bool gosess_same_bytes(SSL_SESSION *session, const unsigned char *der, size_t der_length);

#endif
