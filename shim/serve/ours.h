/* ours.h - tickets that gosess seals, and opens. */
#ifndef GOSESS_SERVE_OURS_H
#define GOSESS_SERVE_OURS_H

#include "../tickets/cipher.h"
#include "connection.h"

#define GOSESS_NOT_OURS 100 /* what no callback for ticket keys answers */

/*
 * What the callback answers where a ticket is sealed for a connection, or one is opened that its
 * client has sent; GOSESS_NOT_OURS where it is not to be ours, or is none of ours.
 */
int gosess_ticket_seal(struct gosess_connection *connection, unsigned char *name, unsigned char *iv,
                       const struct gosess_cipher *to);
int gosess_ticket_open(struct gosess_connection *connection, const unsigned char *name,
                       const unsigned char *iv, const struct gosess_cipher *to);

#endif
