/*
 * names.c - servers that switch to another context by the name that was asked for. The
 * callbacks, the sessions and most of the counters stay the first context's (L1).
 */
#include "record.h"

#include <string.h>

#include <openssl/tls1.h>

static SSL_CTX *first, *second;

static int second_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    say("  new of the second context");
    return 0;
}

static SSL_SESSION *second_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)copy;
    say("  get #%d of the second context", serial(id, (unsigned)length));
    return NULL;
}

static void second_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    say("  remove #%d of the second context, of its own: %d", serial_of(session), ctx == second);
}

static void set_up(long first_mode, long second_mode)
{
    part("modes %#lx and %#lx", first_mode, second_mode);
    first = new_server();
    second = new_server();
    use_certificate(second, "another");
    SSL_CTX_set_num_tickets(first, 1);
    SSL_CTX_set_num_tickets(second, 1);
    SSL_CTX_set_session_cache_mode(first, first_mode);
    SSL_CTX_set_session_cache_mode(second, second_mode);
    use_callbacks(first, ALL);
    SSL_CTX_sess_set_new_cb(second, second_new);
    SSL_CTX_sess_set_get_cb(second, second_get);
    SSL_CTX_sess_set_remove_cb(second, second_remove);
}

static void say_both(void)
{
    say_counters(first);
    say_counters(second);
}

static void visits(void)
{
    SSL_SESSION *session = NULL;
    meet(first, (struct visit){.session = &session, .name = "b.test"});
    meet(first, (struct visit){.session = &session, .name = "b.test"});
    say_both();
    say("the second context itself");
    meet(second, (struct visit){.session = &session, .name = "b.test"});
    say_both();
    say("uncleanly");
    meet(first, (struct visit){.session = &session, .name = "b.test", .ending = UNCLEAN});
    meet(first, (struct visit){.session = &session, .name = "b.test"});
    say_both();
    SSL_SESSION_free(session);
    say("free the second");
    SSL_CTX_free(second);
    say("free the first");
    SSL_CTX_free(first);
}

static int switch_by_name(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name && strcmp(name, "b.test") == 0)
        SSL_set_SSL_CTX(ssl, second);
    return SSL_TLSEXT_ERR_OK;
}

static int switch_by_hello(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    const unsigned char *body;
    size_t length;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &body, &length) == 1 &&
        length > 6 && memcmp(body + length - 6, "b.test", 6) == 0)
        SSL_set_SSL_CTX(ssl, second);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static const struct {
    long first, second;
} modes[] = {
    {SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER},
    {SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_OFF},
    {SSL_SESS_CACHE_OFF, SSL_SESS_CACHE_SERVER},
    {SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, SSL_SESS_CACHE_SERVER},
    {SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL},
};

static void servername_callback(void)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        set_up(modes[i].first, modes[i].second);
        SSL_CTX_set_tlsext_servername_callback(first, switch_by_name);
        visits();
    }
}

static void client_hello_callback(void)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        set_up(modes[i].first, modes[i].second);
        SSL_CTX_set_client_hello_cb(first, switch_by_hello, NULL);
        visits();
    }
}

/* The same with its certificate: the second context is the first's twin. */
static void twins(void)
{
    set_up(SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER);
    use_certificate(second, "server");
    SSL_CTX_set_tlsext_servername_callback(first, switch_by_name);
    visits();
}

/* A session, asked for under another name. */
static void another_name(void)
{
    set_up(SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER);
    SSL_SESSION *session = NULL;
    meet(first, (struct visit){.session = &session, .name = "a.test"});
    say("the name again, in capitals");
    meet(first, (struct visit){.session = &session, .name = "A.Test"});
    say("another name");
    meet(first, (struct visit){.session = &session, .name = "c.test"});
    say("no name");
    meet(first, (struct visit){.session = &session});
    SSL_SESSION_free(session);
    SSL_CTX_free(second);
    SSL_CTX_free(first);
}

/* The first context may be gone when its connection is used. */
static void first_is_freed(void)
{
    set_up(SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER);
    SSL_CTX *client = new_client();
    for (enum ending how = CLEAN; how <= UNCLEAN; how++) {
        SSL_CTX_up_ref(first);
        struct connection c = open_connection(first, client, NULL, "b.test");
        SSL_set_SSL_CTX(c.server, second);
        SSL_CTX_free(first);
        shake_hands(&c);
        say("%s", outcome(&c));
        close_connection(&c, how);
        say("closed");
    }
    SSL_CTX_free(client);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

static const struct scenario scenarios[] = {
    {"servername-callback", servername_callback},
    {"client-hello-callback", client_hello_callback},
    {"twins", twins},
    {"another-name", another_name},
    {"first-is-freed", first_is_freed},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
