/* algorithms.h - whose implementations of algorithms a context of libssl uses. */
#ifndef GOSESS_SSL_ALGORITHMS_H
#define GOSESS_SSL_ALGORITHMS_H

#include <stdbool.h>

#include "libssl.h"

/*
 * Whether what tickets are sealed with (AES-256-CBC, HMAC, SHA-256) is the same in a context that
 * was made by SSL_CTX_new_ex(3) with this library context and query as in one of SSL_CTX_new(3). A
 * query such as stunnel's "provider!=fips" most often changes nothing of that.
 */
bool gosess_has_default_algorithms(const OSSL_LIB_CTX *library, const char *query);

#endif
