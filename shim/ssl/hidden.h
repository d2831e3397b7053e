/* hidden.h - the X509_STOREs that trust more than can be read out of them. */
#ifndef GOSESS_SSL_HIDDEN_H
#define GOSESS_SSL_HIDDEN_H

#include "functions.h"

/* Whether what a store trusts, or how, cannot be known. Any thread; the caller has a reference. */
bool gosess_hides(const X509_STORE *store);

/* Registers the index of ex_data that tells when a store ends. */
bool gosess_hidden_prepare(const struct gosess_libssl *table);

/*
 * How often a host has added to a store of this process, or could have taken something out: what is
 * in one may differ then, although it is as much.
 */
uint64_t gosess_store_changes(void);

#endif
