/*
 * retry.c - TLS 1.3 with a HelloRetryRequest: what a handshake has found, or taken, for its first
 * ClientHello is asked for again with the second one, which may name another server. Nobody gets
 * to "closed" without the certificate that it demands, whatever the names and their order.
 */
#include "../../c/lib/sites.h"

#include <string.h>

static SSL_CTX *first, *open_site, *closed_site;
static struct site sites[] = {{"open", NULL}, {"closed", NULL}, {NULL, NULL}};
static const char *const names[] = {"open", "closed", NULL};

static const char *shown(const char *name)
{
    return name ? name : "none";
}

/* libssl wants a text that it could write to. */
static char server_groups[] = "X25519:P-256", client_groups[] = "P-521:X25519";

static void set_up(enum moment moment, bool early_data)
{
    first = new_server();
    open_site = sites[0].ctx = new_server();
    closed_site = sites[1].ctx = new_server();
    use_certificate(open_site, "open");
    use_certificate(closed_site, "closed");
    demand(closed_site, "client");
    SSL_CTX *all[] = {first, open_site, closed_site};
    for (int i = 0; i < 3; i++) {
        MUST(SSL_CTX_set1_groups_list(all[i], server_groups));
        if (early_data)
            SSL_CTX_set_max_early_data(all[i], 1024);
        use_sites(all[i], moment, sites); /* the second ClientHello is the switched context's */
    }
}

static void take_down(void)
{
    SSL_CTX_free(first);
    SSL_CTX_free(open_site);
    SSL_CTX_free(closed_site);
}

/* The name of the second ClientHello, set when the HelloRetryRequest arrives. */
static char second_name[16]; /* "" is none */
static bool retried;

static void at_message(int sent, int version, int type, const void *buffer, size_t length, SSL *ssl,
                       void *unused)
{
    /* RFC 8446, section 4.1.3: the random of a ServerHello that is one, after 6 bytes. */
    static const unsigned char random[] = {0xCF, 0x21, 0xAD, 0x74};
    const unsigned char *bytes = buffer;
    (void)version, (void)unused;
    if (sent || type != 22 || length < 10 || bytes[0] != 2 || memcmp(bytes + 6, random, 4) != 0)
        return;
    retried = true;
    char *name = *second_name ? second_name : NULL;
    MUST(SSL_set_tlsext_host_name(ssl, name));
}

/* A client whose first key share the server does not take. */
static void say_retry(SSL_SESSION *session, const char *before, const char *after)
{
    SSL_CTX *client = new_client();
    MUST(SSL_CTX_set1_groups_list(client, client_groups));
    SSL_CTX_set_msg_callback(client, at_message);
    MUST(BIO_snprintf(second_name, sizeof second_name, "%s", after ? after : "") >= 0);
    retried = false;
    struct connection c = open_connection(first, client, session, before);
    const char *result = shake_hands(&c) ? outcome(&c) : "refused";
    X509 *certificate = SSL_get_peer_certificate(c.server);
    bool closed = SSL_get_SSL_CTX(c.server) == closed_site;
    MUST(retried);
    say("%s, then %s: %s%s", shown(before), shown(after), result,
        c.done && closed && !certificate ? ", INTRUDED" : "");
    X509_free(certificate);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
}

/* Each pair of names with a fresh session of each name that a client without a certificate has. */
static void say_orders(enum moment moment, bool early_data)
{
    set_up(moment, early_data);
    for (int owner = 0; owner < 3; owner += 2) {
        for (int i = 0; i < 9; i++) {
            SSL_SESSION *session;
            MUST(strcmp(full(first, &session, names[owner]), "full") == 0);
            if (i == 0)
                say("session of %s", shown(names[owner]));
            say_retry(session, names[i / 3], names[i % 3]);
            SSL_SESSION_free(session);
        }
    }
    take_down();
}

static void early(void)
{
    say_orders(EARLY, false);
}

static void late(void)
{
    say_orders(LATE, false);
}

static void early_with_early_data(void)
{
    say_orders(EARLY, true);
}

static void late_with_early_data(void)
{
    say_orders(LATE, true);
}

static const struct scenario scenarios[] = {
    {"early", early},
    {"late", late},
    {"early-with-early-data", early_with_early_data},
    {"late-with-early-data", late_with_early_data},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
