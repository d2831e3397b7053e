/*
 * writer.c - has one session of a connection stored, says so, and has it stored again until it is
 * killed. It is its own, so that it writes to one set, and large, so that it has the lock much of
 * the time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

#include "../../c/lib/tls.h"

int main(void)
{
    static const unsigned char filling[4096];
    int (*store)(SSL *, SSL_SESSION *) = NULL;
    *(void **)&store = dlsym(RTLD_DEFAULT, "gosess_new_session_cb");
    MUST(store);
    struct connection c = open_connection(new_server(), new_client(), NULL, NULL);
    MUST(shake_hands(&c));
    SSL_SESSION *session = SSL_get_session(c.server);
    MUST(SSL_SESSION_set1_ticket_appdata(session, filling, sizeof filling));
    store(c.server, session);
    say("added");
    for (;;)
        store(c.server, session);
}
