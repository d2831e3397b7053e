/* libssl.h - the host's libssl, and what lies behind the functions that we interpose. */
#ifndef GOSESS_SSL_LIBSSL_H
#define GOSESS_SSL_LIBSSL_H

#include "functions.h"
#include "interposed.h"

#define GOSESS_EXPORT __attribute__((visibility("default")))

extern const struct gosess_libssl *_Atomic gosess_ssl; /* the table, once prepared */

enum gosess_interposed {
#define X(name) GOSESS_AT_##name,
    GOSESS_INTERPOSED(X)
#undef X
};

/*
 * The next definition of an interposed function after ours: what the host would have called
 * without us. caller is the return address in the host, which finds a libssl that is loaded
 * with RTLD_LOCAL. NULL where there is none. Any thread.
 */
void *gosess_next(enum gosess_interposed function, const void *caller);

/* A function of libssl or libcrypto that is not interposed, found in the same way. */
void *gosess_find(const char *name, const void *caller);

/* gosess_next, in the body of our own definition of a function. */
#define GOSESS_NEXT(name) \
    ((__typeof__(&(name)))gosess_next(GOSESS_AT_##name, __builtin_return_address(0)))

/*
 * Looks all of them up: while the Go half is being loaded, which may take long, the dynamic
 * linker is locked, and no call of the host shall wait for that.
 */
void gosess_find_all(const void *caller);

/* Whether an address is in the host's libssl. Once there is a table of it. */
bool gosess_is_libssl(const void *address);

/* Whether this process has loaded a libssl, and was not linked to it. */
bool gosess_has_loaded_libssl(void);

/* Fills the table from the host's libssl. NULL, or the name of a function that is missing. */
const char *gosess_find_libssl(struct gosess_libssl *table, const void *caller);

#endif
