/* copies.h - copies of sessions that take long to make of their DER. */
#ifndef GOSESS_SERVE_COPIES_H
#define GOSESS_SERVE_COPIES_H

#include "../../shim.h"

/*
 * A copy for this process to keep, of a session that takes long to make of its DER: a certificate
 * of the peer takes 120 us (P6). NULL where it would not, or nothing must be shared that the host
 * has put into it. And a copy of that for a connection, which ends then; NULL on failure.
 */
SSL_SESSION *gosess_copy_to_keep(SSL_SESSION *session);
SSL_SESSION *gosess_copy_to_use(SSL_SESSION *kept, int64_t expires);

#endif
