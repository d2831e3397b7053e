/*
 * unattached.c - a program that attaches its first context alone. A name leads to another one,
 * which demands a certificate of clients: nobody gets in there with a session of other rules. And
 * one that attaches a context when it has made a connection of it.
 */
#include "api.h"

#include <sys/wait.h>
#include <unistd.h>

#include "../../c/lib/sites.h"

static struct site sites[] = {{"closed.test", NULL}, {NULL, NULL}};
static gosess_cache *cache;
static SSL_CTX *first;

static void begin(enum moment moment)
{
    cache = new_cache();
    first = new_served(cache);
    use_sites(first, moment, sites);
}

static void end(void)
{
    SSL_CTX_free(first);
    gosess_cache_close(cache);
}

/* What the name leads to from now on: a new context, which trusts that client alone. */
static void trust(const char *client)
{
    SSL_CTX_free(sites[0].ctx);
    sites[0].ctx = new_server();
    use_certificate(sites[0].ctx, "closed");
    if (client)
        demand(sites[0].ctx, client);
}

static bool refuses(SSL_SESSION *session)
{
    return strcmp(again(first, session, "closed.test"), "failed") == 0;
}

static SSL_SESSION *made_at(const char *name)
{
    SSL_SESSION *session;
    MUST(FULL(full(first, &session, name)));
    return session;
}

/* The client whose authority is no longer trusted, and one that never had a certificate. */
static void other_rules(enum moment moment)
{
    begin(moment);
    trust("client");
    client_name = "client";
    SSL_SESSION *known = made_at("closed.test");
    MUST(!refuses(known));
    trust("other");
    MUST(refuses(NULL));
    MUST(refuses(known));
    client_name = NULL;
    MUST(refuses(known));
    SSL_SESSION *unnamed = made_at(NULL);
    MUST(refuses(unnamed));
    trust(NULL);
    SSL_SESSION *stranger = made_at("closed.test");
    trust("client");
    MUST(refuses(stranger));
    SSL_SESSION_free(known);
    SSL_SESSION_free(unnamed);
    SSL_SESSION_free(stranger);
    end();
}

static void early(void)
{
    other_rules(EARLY);
    say("early");
}

static void late(void)
{
    other_rules(LATE);
    say("late");
}

/* --- processes that open the same store, one after the other --- */

static int channel[2];

static void write_session(void)
{
    begin(EARLY);
    trust("client");
    client_name = "client";
    SSL_SESSION *session = made_at("closed.test");
    unsigned char *der = NULL;
    int length = i2d_SSL_SESSION(session, &der);
    MUST(length > 0 && write(channel[1], der, (size_t)length) == length);
    OPENSSL_free(der);
}

static unsigned char der[8192];
static ssize_t der_length;

static SSL_SESSION *read_session(void)
{
    const unsigned char *bytes = der;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &bytes, der_length);
    MUST(session);
    return session;
}

static void offer_to_other(void)
{
    SSL_SESSION *session = read_session();
    begin(EARLY);
    trust("other");
    client_name = "client";
    MUST(refuses(NULL));
    MUST(refuses(session));
}

static void offer_to_same(void)
{
    SSL_SESSION *session = read_session();
    begin(EARLY);
    trust("client");
    client_name = "client";
    MUST(!refuses(session));
}

static void processes(void)
{
    static const char *const names[] = {"server", "closed", "client", "other"};
    for (int i = 0; i < 4; i++)
        certificate_of(names[i]);
    MUST(pipe(channel) == 0);
    in_child(write_session);
    der_length = read(channel[0], der, sizeof der);
    in_child(offer_to_other);
    in_child(offer_to_same);
    say("processes");
}

static int choose(SSL *ssl, void *unused)
{
    (void)ssl, (void)unused;
    return 1;
}

/* The outcome at another context, which is attached when there is a connection of it. */
static const char *late_outcome(SSL_SESSION *session, bool chooses)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    struct connection connection = open_connection(ctx, client, session, NULL);
    if (chooses)
        SSL_set_cert_cb(connection.server, choose, NULL);
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    shake_hands(&connection);
    const char *result = outcome(&connection);
    close_connection(&connection, CLEAN);
    SSL_CTX_free(ctx);
    SSL_CTX_free(client);
    return result;
}

/* What it has set for the connection by then is known. */
static void made_first(void)
{
    begin(EARLY);
    SSL_SESSION *session = made_at(NULL);
    bool shares = strncmp(getenv("CACHE"), "shm:", strlen("shm:")) == 0;
    MUST((strcmp(late_outcome(session, false), "resumed") == 0) == shares);
    MUST(strcmp(late_outcome(session, true), "full") == 0);
    SSL_SESSION_free(session);
    end();
    say("made first");
}

static const struct scenario scenarios[] = {
    {"early", early},
    {"late", late},
    {"processes", processes},
    {"made-first", made_first},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
