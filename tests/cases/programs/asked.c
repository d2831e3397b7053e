/*
 * asked.c - the server name that was asked for when a session was made, and when it is offered. No
 * name is not another name (RFC 6066, section 3): what counts is where the names lead to.
 */
#include "../../c/lib/sites.h"

#include <string.h>

static SSL_CTX *first;

/* A visit first, so that it has been seen where each name leads to. */
static void get_known(void)
{
    const char *names[] = {NULL, "a.test", "b.test"};
    for (int i = 0; i < 3; i++) {
        SSL_SESSION *session;
        full(first, &session, names[i]);
        SSL_SESSION_free(session);
    }
}

static void say_offered(const char *made, const char *offered)
{
    SSL_SESSION *session;
    MUST(strcmp(full(first, &session, made), "full") == 0);
    say("%s, then %s: %s", made ? made : "none", offered ? offered : "none",
        again(first, session, offered));
    SSL_SESSION_free(session);
}

static void say_orders(const char *name)
{
    get_known();
    say_offered(name, name);
    say_offered(name, NULL);
    say_offered(NULL, name);
    say_offered(NULL, NULL);
}

static void one_context(void)
{
    first = new_server();
    say_orders("a.test");
    say_offered("a.test", "b.test");
    SSL_CTX_free(first);
}

/* b.test leads to another context, which a change makes another one indeed. */
static void say_second(enum moment moment, void (*change)(SSL_CTX *))
{
    SSL_CTX *second = new_server();
    struct site sites[] = {{"b.test", second}, {NULL, NULL}};
    first = new_server();
    if (change)
        change(second);
    use_sites(first, moment, sites);
    say("%s", moment_names[moment]);
    say_orders("b.test");
    say_offered("a.test", "b.test");
    say_offered("b.test", "a.test");
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

static void alike(void)
{
    say_second(EARLY, NULL);
    say_second(LATE, NULL);
}

static void other(SSL_CTX *ctx)
{
    use_certificate(ctx, "another");
}

static void other_certificate(void)
{
    say_second(EARLY, other);
    say_second(LATE, other);
}

static void ask(SSL_CTX *ctx)
{
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate_of("client"));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

/* Clients are asked for a certificate, and may have none. */
static void other_policy(void)
{
    say_second(EARLY, ask);
    say_second(LATE, ask);
}

/* Clients without a certificate are refused: none gets in with a session of another name. */
static void say_closed(enum moment moment)
{
    SSL_CTX *second = new_server();
    struct site sites[] = {{"b.test", second}, {NULL, NULL}};
    SSL_SESSION *session;
    const char *names[] = {NULL, "a.test"};
    first = new_server();
    demand(second, "client");
    use_sites(first, moment, sites);
    say("%s", moment_names[moment]);
    get_known();
    for (int i = 0; i < 2; i++) {
        MUST(strcmp(full(first, &session, names[i]), "full") == 0);
        say("%s, then b.test: %s", names[i] ? names[i] : "none", again(first, session, "b.test"));
        SSL_SESSION_free(session);
    }
    client_name = "client";
    say_offered("b.test", "b.test");
    SSL_SESSION *known;
    MUST(strcmp(full(first, &known, "b.test"), "full") == 0);
    client_name = NULL;
    say("b.test, then none: %s", again(first, known, NULL));
    SSL_SESSION_free(known);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

static void closed(void)
{
    say_closed(EARLY);
    say_closed(LATE);
}

static const struct scenario scenarios[] = {
    {"one-context", one_context},   {"alike", alike},   {"other-certificate", other_certificate},
    {"other-policy", other_policy}, {"closed", closed},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
