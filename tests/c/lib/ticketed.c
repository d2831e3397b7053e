/* ticketed.c - servers with tickets: see ticketed.h. */
#include "ticketed.h"

#include <string.h>

SSL_CTX *new_ticket_server(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

void say_worth(const char *what, SSL_CTX *first, const char *first_name, SSL_CTX *second,
               const char *second_name)
{
    SSL_SESSION *session;
    MUST(strcmp(full(first, &session, first_name), "full") == 0);
    const char *there = again(second, session, second_name);
    say("%s: %s, at its own: %s", what, there, again(first, session, first_name));
    SSL_SESSION_free(session);
    SSL_CTX_free(second);
}
