/*
 * slots.c - hosts that write to ex_data slots which they have not reserved, as FreeRADIUS, Qt 5,
 * rsyslog and bareos do: to each of the first ones of SSL, SSL_CTX and SSL_SESSION objects, before
 * anything else has used the object or after it. What they wrote is there afterwards, and what it
 * points to is as it was.
 */
#include "../../c/lib/tls.h"

#include <string.h>

#define SLOTS 41

/* Large enough for whatever somebody may take it for. */
struct thing {
    unsigned char bytes[512];
};
static struct thing things[SLOTS];

static void fill(void)
{
    memset(things, 'A', sizeof things);
}

static bool untouched(void)
{
    const unsigned char *bytes = (const unsigned char *)things;
    size_t i = 0;
    while (i < sizeof things && bytes[i] == 'A')
        i++;
    return i == sizeof things;
}

#define WRITER(name, type, setter)                          \
    static void write_##name(type *object)                  \
    {                                                       \
        for (int slot = 0; slot < SLOTS; slot++)            \
            MUST(setter(object, slot, &things[slot]) == 1); \
    }
WRITER(ssl, SSL, SSL_set_ex_data)
WRITER(ctx, SSL_CTX, SSL_CTX_set_ex_data)
WRITER(session, SSL_SESSION, SSL_SESSION_set_ex_data)

#define COUNTER(name, type, getter)                       \
    static int own_##name(type *object)                   \
    {                                                     \
        int own = 0;                                      \
        for (int slot = 0; slot < SLOTS; slot++)          \
            own += getter(object, slot) == &things[slot]; \
        return own;                                       \
    }
COUNTER(ssl, SSL, SSL_get_ex_data)
COUNTER(ctx, SSL_CTX, SSL_CTX_get_ex_data)
COUNTER(session, const SSL_SESSION, SSL_SESSION_get_ex_data)

static void say_own(const char *object, const char *result, int own)
{
    say("%s: %s, %d of %d its own, %s", object, result, own, SLOTS,
        untouched() ? "untouched" : "TOUCHED");
}

static SSL_CTX *server, *client;

static void begin(void)
{
    fill();
    server = new_server();
    client = new_client();
    SSL_CTX_set_num_tickets(server, 1);
}

static void end(SSL_SESSION *session)
{
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    say("freed: %s", untouched() ? "untouched" : "TOUCHED");
}

/* Two connections, the second with the session of the first. */
static void say_connections(bool before)
{
    SSL_SESSION *session = NULL;
    begin();
    for (int i = 0; i < 3; i++) {
        struct connection c = open_connection(server, client, session, NULL);
        if (before)
            write_ssl(c.server);
        MUST(shake_hands(&c));
        if (!before)
            write_ssl(c.server);
        say_own("connection", outcome(&c), own_ssl(c.server));
        if (!session)
            session = client_session(&c);
        close_connection(&c, CLEAN);
    }
    end(session);
}

static void connection_before(void)
{
    say_connections(true);
}

static void connection_after(void)
{
    say_connections(false);
}

static void say_contexts(bool before)
{
    SSL_SESSION *session = NULL;
    begin();
    if (before)
        write_ctx(server);
    const char *result = visit(server, client, &session, NULL);
    if (!before)
        write_ctx(server);
    say_own("context", result, own_ctx(server));
    for (int i = 0; i < 2; i++) {
        result = again(server, session, NULL);
        say_own("context", result, own_ctx(server));
    }
    end(session);
}

static void context_before(void)
{
    say_contexts(true);
}

static void context_after(void)
{
    say_contexts(false);
}

/* The object of a session is seen first in the callback for new ones, and when its handshake ends.
 */
static int write_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    write_session(session);
    return 0;
}

static void say_sessions(bool before)
{
    SSL_SESSION *session = NULL;
    begin();
    /* In 1.3 libssl copies the object, which fails where nobody has reserved a slot at all. */
    if (tls_version == TLS1_3_VERSION)
        MUST(SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL) >= 0);
    if (before)
        SSL_CTX_sess_set_new_cb(server, write_new);
    for (int i = 0; i < 3; i++) {
        struct connection c = open_connection(server, client, session, NULL);
        MUST(shake_hands(&c));
        if (i == 0 && !before)
            write_session(SSL_get_session(c.server));
        say_own("session", outcome(&c), own_session(SSL_get_session(c.server)));
        if (!session)
            session = client_session(&c);
        close_connection(&c, CLEAN);
    }
    end(session);
}

static void session_before(void)
{
    say_sessions(true);
}

static void session_after(void)
{
    say_sessions(false);
}

/* FreeRADIUS: an index that it has reserved for sessions, used for connections. */
static void index_of_another_class(void)
{
    SSL_SESSION *session = NULL;
    begin();
    int slot = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    MUST(slot >= 0 && slot < SLOTS);
    for (int i = 0; i < 2; i++) {
        struct connection c = open_connection(server, client, session, NULL);
        MUST(SSL_set_ex_data(c.server, slot, &things[slot]));
        MUST(shake_hands(&c));
        say_own("connection", outcome(&c), SSL_get_ex_data(c.server, slot) == &things[slot]);
        if (!session)
            session = client_session(&c);
        close_connection(&c, CLEAN);
    }
    end(session);
}

/* Qt 5: one index that it has reserved, and the one after it. */
static void next_index(void)
{
    SSL_SESSION *session = NULL;
    begin();
    int slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    MUST(slot >= 0 && slot + 1 < SLOTS);
    for (int i = 0; i < 2; i++) {
        struct connection c = open_connection(server, client, session, NULL);
        MUST(SSL_set_ex_data(c.server, slot, &things[slot]));
        MUST(SSL_set_ex_data(c.server, slot + 1, &things[slot + 1]));
        MUST(shake_hands(&c));
        say_own("connection", outcome(&c),
                (SSL_get_ex_data(c.server, slot) == &things[slot]) +
                    (SSL_get_ex_data(c.server, slot + 1) == &things[slot + 1]));
        if (!session)
            session = client_session(&c);
        close_connection(&c, CLEAN);
    }
    end(session);
}

static const struct scenario scenarios[] = {
    {"connection-before", connection_before},
    {"connection-after", connection_after},
    {"context-before", context_before},
    {"context-after", context_after},
    {"session-before", session_before},
    {"session-after", session_after},
    {"index-of-another-class", index_of_another_class},
    {"next-index", next_index},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
