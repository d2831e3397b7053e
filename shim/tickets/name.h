/*
 * name.h - the 16 bytes that a ticket begins with, which libssl calls its key's name.
 *
 * The ticket's MAC covers them (RFC 5077, section 4), so they hold what has to be known before it
 * is opened: the id of the secret, and under a mask that is another one for each ticket, so that
 * nobody can tell whose ticket follows from whose, when the chain of tickets ends and a tag of the
 * server name.
 */
#ifndef GOSESS_TICKETS_NAME_H
#define GOSESS_TICKETS_NAME_H

#include "derive.h"

#define GOSESS_TICKET_NAME_SIZE 16
#define GOSESS_TICKET_IV_SIZE 16

/* What the rest of a name says. */
struct gosess_ticket_says {
    uint32_t ends;       /* unix seconds: no ticket that follows from this one is used later */
    uint32_t server_tag; /* 0: the client has asked for no server name */
};

/*
 * A tag of a server name, whose letters have no case (RFC 6066, section 3); 0 for none. Of 2^32
 * names one has the same, and nobody without the keys knows which.
 */
bool gosess_server_tag(const struct gosess_ticket_keys *keys, const char *name, size_t length,
                       uint32_t *tag);

/* Writes and reads the part of a name behind the id. */
bool gosess_ticket_name_write(const struct gosess_ticket_keys *keys,
                              const unsigned char iv[GOSESS_TICKET_IV_SIZE],
                              const struct gosess_ticket_says *says,
                              unsigned char name[GOSESS_TICKET_NAME_SIZE]);
bool gosess_ticket_name_read(const struct gosess_ticket_keys *keys,
                             const unsigned char iv[GOSESS_TICKET_IV_SIZE],
                             const unsigned char name[GOSESS_TICKET_NAME_SIZE],
                             struct gosess_ticket_says *says);

#endif
