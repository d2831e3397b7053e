/*
 * liars.c - hosts that say one thing and do another: callbacks that answer with the wrong session,
 * rules that are set for one connection, contexts that come to lie where another one lay.
 */
#include "../../c/lib/hosts.h"
#include "../../c/lib/sites.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

static SSL_CTX *server, *second;
static struct site sites[] = {{"b.test", NULL}, {NULL, NULL}};

static SSL_SESSION *made_at(SSL_CTX *ctx, const char *name)
{
    SSL_SESSION *session;
    MUST(strcmp(full(ctx, &session, name), "full") == 0);
    return session;
}

static void say_offered(const char *what, SSL_SESSION *session, const char *name)
{
    say("%s: %s", what, again(server, session, name));
}

/* --- a get callback that answers with what nobody asked for --- */

static SSL_SESSION *answer;

static int keep_as_answer(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    if (answer)
        return 0;
    answer = session;
    return 1;
}

static SSL_SESSION *get_answer(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)id, (void)length;
    *copy = 1;
    return answer;
}

static void begin_answering(void)
{
    server = new_server();
    SSL_CTX_set_num_tickets(server, 1);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(server, keep_as_answer);
    SSL_CTX_sess_set_get_cb(server, get_answer);
}

static void end_answering(SSL_SESSION *session)
{
    SSL_SESSION_free(session);
    SSL_SESSION_free(answer);
    SSL_CTX_free(server);
}

static void another_id(void)
{
    begin_answering();
    SSL_SESSION_free(made_at(server, NULL));
    SSL_SESSION *session = made_at(server, NULL);
    say_offered("the first one for the second", session, NULL);
    end_answering(session);
}

static void expired_by_host(void)
{
    begin_answering();
    SSL_SESSION *session = made_at(server, NULL);
    say_offered("known", session, NULL);
    SSL_SESSION_set_time(answer, (long)time(NULL) - 100000);
    say_offered("expired", session, NULL);
    end_answering(session);
}

/* --- names that lead somewhere and back --- */

static void begin_sites(enum moment moment)
{
    server = new_server();
    second = sites[0].ctx = new_server();
    use_sites(server, moment, sites);
}

static void end_sites(SSL_SESSION *session)
{
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(second);
}

static int there_and_back(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    MUST(SSL_set_SSL_CTX(ssl, second));
    MUST(SSL_set_SSL_CTX(ssl, server));
    return SSL_TLSEXT_ERR_OK;
}

static void switched_back(void)
{
    begin_sites(LATE);
    use_certificate(second, "another");
    SSL_CTX_set_tlsext_servername_callback(server, there_and_back);
    SSL_SESSION_free(made_at(server, "b.test")); /* where the name leads to has been seen */
    SSL_SESSION *session = made_at(server, "b.test");
    say_offered("there and back", session, "b.test");
    end_sites(session);
}

static int refuse_name(SSL *ssl, int *alert, void *unused)
{
    (void)ssl, (void)unused;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void name_refused(void)
{
    server = new_server();
    SSL_SESSION *session = made_at(server, "b.test");
    SSL_CTX_set_tlsext_servername_callback(server, refuse_name);
    say_offered("refused", session, "b.test");
    SSL_CTX_set_tlsext_servername_callback(server, NULL);
    say_offered("served", session, "b.test");
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* --- rules of one connection --- */

static int demands_of_connection;

/* A host that looks at a switch of its own for each connection. */
static int at_hello(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    SSL_set_verify(ssl,
                   demands_of_connection ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                         : SSL_VERIFY_NONE,
                   NULL);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static void demand_appears(void)
{
    server = new_server();
    SSL_CTX_set_client_hello_cb(server, at_hello, NULL);
    SSL_SESSION *session = made_at(server, NULL);
    say_offered("no demand", session, NULL);
    demands_of_connection = 1;
    say_offered("a demand", session, NULL);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* The context demands a certificate, which the host waives for a while. */
static void demand_was_waived(void)
{
    server = new_server();
    demand(server, "client");
    SSL_CTX_set_client_hello_cb(server, at_hello, NULL);
    SSL_SESSION *session = made_at(server, NULL);
    demands_of_connection = 1;
    say_offered("no longer waived", session, NULL);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static void demand_of_one_connection(void)
{
    server = new_server();
    SSL_CTX *client = new_client();
    SSL_SESSION *session = made_at(server, NULL);
    struct connection c = open_connection(server, client, session, NULL);
    SSL_set_verify(c.server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    shake_hands(&c);
    say("this one demands: %s", outcome(&c));
    close_connection(&c, CLEAN);
    say_offered("others do not", session, NULL);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void id_context_changes(void)
{
    server = new_server();
    SSL_SESSION *session = made_at(server, NULL);
    MUST(SSL_CTX_set_session_id_context(server, (const unsigned char *)"else", 4));
    say_offered("another context of ids", session, NULL);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* --- where another one lay --- */

#define SPARES 64

/* A context that nothing is known of, at the address of one that is gone, where libc lets it. */
static SSL_CTX *context_at(uintptr_t address)
{
    SSL_CTX *ctx, *spare[SPARES];
    int spares = 0;
    while ((uintptr_t)(ctx = new_server()) != address && spares < SPARES)
        spare[spares++] = ctx;
    while (spares > 0)
        SSL_CTX_free(spare[--spares]);
    return ctx;
}

static void context_in_its_place(void)
{
    server = new_server();
    SSL_SESSION *session = made_at(server, NULL);
    uintptr_t address = (uintptr_t)server;
    SSL_CTX_free(server);
    server = context_at(address);
    demand(server, "client");
    say_offered("demands", session, NULL);
    SSL_CTX_free(server);
    server = context_at(address);
    use_certificate(server, "another");
    say_offered("another certificate", session, NULL);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {
    {"another-id", another_id},
    {"expired-by-host", expired_by_host},
    {"switched-back", switched_back},
    {"name-refused", name_refused},
    {"demand-appears", demand_appears},
    {"demand-was-waived", demand_was_waived},
    {"demand-of-one-connection", demand_of_one_connection},
    {"id-context-changes", id_context_changes},
    {"context-in-its-place", context_in_its_place},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
