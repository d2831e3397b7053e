/*
 * molds.h - sessions that are made of their DER without decoding it, where only the id, the master
 * key and the time are others than those of one that was decoded before. Any thread.
 */
#ifndef GOSESS_SERVE_MOLDS_H
#define GOSESS_SERVE_MOLDS_H

#include "../../shim.h"

/* A new object with one reference, as decoding makes it; NULL where that is to be done. */
SSL_SESSION *gosess_mold_use(const unsigned char *der, size_t length);

/* What was decoded of that DER just now, and nobody else has seen, is what others are made like. */
void gosess_mold_keep(SSL_SESSION *decoded, const unsigned char *der, size_t length);

#endif
