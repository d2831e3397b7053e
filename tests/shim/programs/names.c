/*
 * names.c - servers that switch to another context by the name that was asked for. The
 * callbacks and the sessions stay those of the first context (L1).
 */
#include "../../c/lib/hosts.h"

#include <string.h>

#include <openssl/tls1.h>

static SSL_CTX *first, *second;

static int second_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    trace("second-new");
    return 0;
}

static void set_up(void)
{
    first = new_server();
    second = new_server();
    use_certificate(second, "another");
    SSL_CTX_set_num_tickets(first, 1);
    SSL_CTX_set_num_tickets(second, 1);
    SSL_CTX_sess_set_new_cb(first, host_new);
    SSL_CTX_sess_set_new_cb(second, second_new);
}

static void say_visits(void)
{
    SSL_SESSION *session;
    const char *one = full(first, &session, "b.test");
    say("%s: %s", one, host_trace());
    const char *two = again(first, session, "b.test");
    say("%s: %s", two, host_trace());
    say("other name: %s", again(first, session, "a.test"));
    host_trace();
    say("second itself: %s", again(second, session, "b.test"));
    host_trace();
    SSL_SESSION_free(session);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

static int switch_by_name(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name && strcmp(name, "b.test") == 0)
        SSL_set_SSL_CTX(ssl, second);
    return SSL_TLSEXT_ERR_OK;
}

static void servername_callback(void)
{
    set_up();
    SSL_CTX_set_tlsext_servername_callback(first, switch_by_name);
    say_visits();
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

static void client_hello_callback(void)
{
    set_up();
    SSL_CTX_set_client_hello_cb(first, switch_by_hello, NULL);
    say_visits();
}

/* The first context may be gone when its connection is used. */
static void first_is_freed(void)
{
    set_up();
    SSL_CTX *client = new_client();
    struct connection c = open_connection(first, client, NULL, "b.test");
    SSL_set_SSL_CTX(c.server, second);
    SSL_CTX_free(first);
    shake_hands(&c);
    const char *result = outcome(&c);
    close_connection(&c, CLEAN);
    say("%s: %s", result, host_trace());
    SSL_CTX_free(second);
    SSL_CTX_free(client);
}

/* A copy of a switched connection belongs to the second context alone. */
static void copied_connection(void)
{
    set_up();
    SSL_CTX *client = new_client();
    SSL *original = SSL_new(first);
    SSL_set_SSL_CTX(original, second);
    SSL *copy = SSL_dup(original);
    MUST(copy);
    SSL_free(original);
    SSL_CTX_free(first);
    struct connection c = open_connection(second, client, NULL, "b.test");
    BIO *bio = SSL_get_rbio(c.server);
    BIO_up_ref(bio);
    SSL_free(c.server);
    c.server = copy;
    SSL_set_bio(copy, bio, bio);
    SSL_set_accept_state(copy);
    shake_hands(&c);
    const char *result = outcome(&c);
    close_connection(&c, CLEAN);
    say("%s: %s", result, host_trace());
    SSL_CTX_free(second);
    SSL_CTX_free(client);
}

/* As nginx does: the connection gets the options of the context that it is switched to. */
static int switch_with_options(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    SSL_set_SSL_CTX(ssl, second);
    SSL_clear_options(ssl, SSL_get_options(ssl) & ~SSL_CTX_get_options(second));
    SSL_set_options(ssl, SSL_CTX_get_options(second));
    return SSL_TLSEXT_ERR_OK;
}

/* With GOSESS_TICKETS=stateful: every context that is in use, and none that is not. */
static void stateful(void)
{
    SSL_SESSION *session;
    set_up();
    SSL_CTX *third = new_server(), *all[] = {first, second, third};
    for (int i = 0; i < 3; i++)
        SSL_CTX_clear_options(all[i], SSL_OP_NO_TICKET);
    SSL_CTX_set_tlsext_servername_callback(first, switch_with_options);
    full(first, &session, "b.test");
    const unsigned char *ticket;
    size_t length;
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    say("%s", length <= SSL_MAX_SSL_SESSION_ID_LENGTH ? "an id" : "a stateless ticket");
    for (int i = 0; i < 3; i++) {
        say("%s", SSL_CTX_get_options(all[i]) & SSL_OP_NO_TICKET ? "changed" : "as it was");
        SSL_CTX_free(all[i]);
    }
    SSL_SESSION_free(session);
}

static const struct scenario scenarios[] = {
    {"servername-callback", servername_callback},
    {"client-hello-callback", client_hello_callback},
    {"first-is-freed", first_is_freed},
    {"copied-connection", copied_connection},
    {"stateful", stateful},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
