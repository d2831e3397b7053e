/* tickets.h - session tickets that all processes of a cache open: GOSESS_TICKETS=shared. */
#ifndef GOSESS_SERVE_TICKETS_H
#define GOSESS_SERVE_TICKETS_H

#include "context.h"

/*
 * An SSL is about to be made of a context: from then on libssl asks us for the keys of tickets,
 * where they are shared, or the host's callback has to be corrected.
 */
void gosess_tickets_serve(struct gosess_context *context);

/* The host sets a callback of its own, of either kind. They return what libssl's setters do. */
long gosess_tickets_set(struct gosess_context *context, gosess_ticket_cb callback);
int gosess_tickets_set_evp(struct gosess_context *context, gosess_ticket_evp_cb callback);

/* The host has functions that put data into tickets, and read it: SSL_CTX_set_session_ticket_cb. */
void gosess_tickets_set_data(struct gosess_context *context, uintptr_t made, uintptr_t read);

#endif
