/*
 * ticketed.h - servers whose clients get tickets. Two contexts stand for two processes, as libssl
 * gives each a key of its own.
 */
#ifndef GOSESS_TESTS_TICKETED_H
#define GOSESS_TESTS_TICKETED_H

#include "tls.h"

SSL_CTX *new_ticket_server(void);

/*
 * Prints what becomes of a ticket of the first at the second, which is freed then, and at its own.
 * Each is asked for under a name, or none where that is NULL.
 */
void say_worth(const char *what, SSL_CTX *first, const char *first_name, SSL_CTX *second,
               const char *second_name);

#endif
