/* talk.h - a connection, and what is said on it once the handshake is done. */
#ifndef LOAD_TALK_H
#define LOAD_TALK_H

#include "report.h"

#include <stdbool.h>

#include <openssl/ssl.h>

enum {
    IO_TIMEOUT_SECONDS = 60, /* as patient as the harness */
};

/* One connection, found by the callbacks through SSL_get_app_data. */
struct connection {
    char *name;          /* what it asks for; NULL: nothing */
    SSL_SESSION *newest; /* owned: the last session or ticket received */
    int tickets;
    int hellos;
    bool refused; /* the handshake was to be broken off, and was */
};

/* Microseconds of a clock that only goes on. */
double now_us(void);

/* Asks what the options say, and reads all that is to come. False where that failed, which it has
 * counted. */
bool exchange(struct thread *thread, SSL *ssl, const struct connection *connection, bool again);

#endif
