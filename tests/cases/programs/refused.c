/*
 * refused.c - what refuses a client beside its certificate and the rules for it: each scenario
 * offers a session of one context to another one, which would refuse the client in a full
 * handshake, show another certificate, or could not resume.
 */
#include "../../c/lib/tls.h"

#include <stdio.h>
#include <string.h>

#include <openssl/conf.h>

static const int demand_any = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;

/* A server that asks clients for a certificate of "one". */
static SSL_CTX *verifying_server(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_verify(ctx, demand_any, NULL);
    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate_of("one")));
    return ctx;
}

/* --- what is done to the ends of a connection before it begins --- */

static void (*set_client)(SSL_CTX *), (*set_server)(SSL *);
static SSL *(*replace_server)(SSL *);

static const char *meet(SSL_CTX *server, SSL_SESSION *offered, SSL_SESSION **made)
{
    SSL_CTX *client = new_client();
    if (set_client)
        set_client(client);
    struct connection connection = open_connection(server, client, offered, NULL);
    if (set_server)
        set_server(connection.server);
    if (replace_server)
        connection.server = replace_server(connection.server);
    return meet_once(&connection, client, made);
}

static SSL_CTX *first, *second;

static SSL_SESSION *made_at_first(void)
{
    SSL_SESSION *session = NULL;
    MUST(strcmp(meet(first, NULL, &session), "full") == 0);
    return session;
}

static void say_at_second(SSL_SESSION *session)
{
    say("at the second: %s", meet(second, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

/* --- extensions --- */

#define TYPE 1000 /* nobody's */

static int add_one(SSL *ssl, unsigned type, unsigned where, const unsigned char **out,
                   size_t *length, X509 *certificate, size_t index, int *alert, void *argument)
{
    static const unsigned char one[] = {1};
    (void)ssl, (void)type, (void)where, (void)certificate, (void)index, (void)alert, (void)argument;
    *out = one;
    *length = sizeof one;
    return 1;
}

static int demand_when_parsed(SSL *ssl, unsigned type, unsigned where, const unsigned char *in,
                              size_t length, X509 *certificate, size_t index, int *alert,
                              void *demands)
{
    (void)type, (void)where, (void)in, (void)length, (void)certificate, (void)index, (void)alert;
    if (demands)
        SSL_set_verify(ssl, demand_any, NULL);
    return 1;
}

static void say_hello(SSL_CTX *client)
{
    MUST(SSL_CTX_add_custom_ext(client, TYPE, SSL_EXT_CLIENT_HELLO, add_one, NULL, NULL, NULL,
                                NULL));
}

static void extension_demands(void)
{
    static char demands[] = "yes";
    set_client = say_hello;
    first = new_server();
    second = new_server();
    MUST(SSL_CTX_add_custom_ext(first, TYPE, SSL_EXT_CLIENT_HELLO, NULL, NULL, NULL,
                                demand_when_parsed, NULL));
    MUST(SSL_CTX_add_custom_ext(second, TYPE, SSL_EXT_CLIENT_HELLO, NULL, NULL, NULL,
                                demand_when_parsed, demands));
    SSL_CTX_set_tlsext_servername_callback(second, NULL); /* it has none, as before */
    say_at_second(made_at_first());
}

static int add_for_server(SSL *ssl, unsigned type, const unsigned char **out, size_t *length,
                          int *alert, void *argument)
{
    (void)ssl, (void)type, (void)out, (void)length, (void)alert, (void)argument;
    return 0;
}

static int demand_for_server(SSL *ssl, unsigned type, const unsigned char *in, size_t length,
                             int *alert, void *demands)
{
    (void)type, (void)in, (void)length, (void)alert;
    if (demands)
        SSL_set_verify(ssl, demand_any, NULL);
    return 1;
}

static void extension_of_server_demands(void)
{
    static char demands[] = "yes";
    set_client = say_hello;
    first = new_server();
    second = new_server();
    MUST(SSL_CTX_add_server_custom_ext(first, TYPE, add_for_server, NULL, NULL, demand_for_server,
                                       NULL));
    MUST(SSL_CTX_add_server_custom_ext(second, TYPE, add_for_server, NULL, NULL, demand_for_server,
                                       demands));
    say_at_second(made_at_first());
}

/* That of a certificate says no to the client at the second server. */
static int judge(SSL *ssl, unsigned type, unsigned where, const unsigned char *in, size_t length,
                 X509 *certificate, size_t index, int *alert, void *refuses)
{
    (void)ssl, (void)type, (void)where, (void)in, (void)length, (void)certificate, (void)index;
    *alert = SSL_AD_BAD_CERTIFICATE;
    return !refuses;
}

#define IN_CERTIFICATE (SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE)

static void say_with_certificate(SSL_CTX *client)
{
    MUST(SSL_CTX_add_custom_ext(client, TYPE, IN_CERTIFICATE, add_one, NULL, NULL,
                                demand_when_parsed, NULL));
}

static void extension_of_certificate(void)
{
    static char refuses[] = "yes";
    client_name = "one";
    set_client = say_with_certificate;
    first = verifying_server();
    second = verifying_server();
    MUST(SSL_CTX_add_custom_ext(first, TYPE, IN_CERTIFICATE, add_one, NULL, NULL, judge, NULL));
    MUST(SSL_CTX_add_custom_ext(second, TYPE, IN_CERTIFICATE, add_one, NULL, NULL, judge, refuses));
    say_at_second(made_at_first());
}

/* --- copies of a connection --- */

static int show_another(SSL *ssl, void *unused)
{
    (void)unused;
    SSL_CTX *other = new_server();
    use_certificate(other, "another");
    MUST(SSL_use_certificate(ssl, SSL_CTX_get0_certificate(other)) == 1);
    MUST(SSL_use_PrivateKey(ssl, SSL_CTX_get0_privatekey(other)) == 1);
    SSL_CTX_free(other);
    return 1;
}

static SSL *copy_of(SSL *original)
{
    SSL *model = SSL_new(SSL_get_SSL_CTX(original));
    MUST(model);
    if (set_server)
        set_server(model);
    SSL *copy = SSL_dup(model);
    BIO *bio = SSL_get_rbio(original);
    MUST(copy && bio && BIO_up_ref(bio));
    SSL_free(model);
    SSL_free(original);
    SSL_set_bio(copy, bio, bio);
    SSL_set_accept_state(copy);
    return copy;
}

static void choose_another(SSL *ssl)
{
    SSL_set_cert_cb(ssl, show_another, NULL);
}

/* The host makes its connections of one that it has set up: libssl copies its callback. */
static void copy_shows_another(void)
{
    first = new_server();
    second = new_server();
    SSL_SESSION *session = made_at_first();
    replace_server = copy_of;
    set_server = choose_another;
    say_at_second(session);
}

static void copy_shows_the_same(void)
{
    first = new_server();
    second = new_server();
    SSL_SESSION *session = made_at_first();
    replace_server = copy_of;
    say_at_second(session);
}

/* --- rules --- */

static void require_other_name(SSL *ssl)
{
    unsigned char digest[32] = {1};
    MUST(SSL_dane_enable(ssl, "a.test") == 1);
    MUST(SSL_dane_tlsa_add(ssl, 3, 1, 1, digest, sizeof digest) == 1);
}

/* RFC 6698: the second server knows the keys of its clients by name. */
static void known_keys(void)
{
    client_name = "one";
    first = verifying_server();
    second = verifying_server();
    MUST(SSL_CTX_dane_enable(first) == 1 && SSL_CTX_dane_enable(second) == 1);
    SSL_SESSION *session = made_at_first();
    set_server = require_other_name;
    say_at_second(session);
}

/* What every verification of a client falls back to. */
static void common_parameters(void)
{
    client_name = "one";
    first = verifying_server();
    second = verifying_server();
    SSL_SESSION *session = made_at_first();
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    MUST(param && X509_VERIFY_PARAM_set1_name(param, "ssl_client"));
    MUST(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK));
    MUST(X509_VERIFY_PARAM_add0_table(param));
    say_at_second(session);
}

/* Loads a configuration of the system in which clients may sign with this: config(5). */
static void configure(const char *algorithms)
{
    char text[256];
    long line = 0;
    OPENSSL_load_builtin_modules();
    CONF *configuration = NCONF_new(NULL);
    snprintf(text, sizeof text,
             "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = default\n"
             "[default]\nClientSignatureAlgorithms = %s\n",
             algorithms);
    BIO *bio = BIO_new_mem_buf(text, -1);
    MUST(configuration && bio && NCONF_load_bio(configuration, bio, &line) == 1);
    MUST(CONF_modules_load(configuration, NULL, 0) == 1);
    NCONF_free(configuration);
    BIO_free(bio);
}

/* What libssl sets in each context that it makes. */
static void configured(void)
{
    client_name = "one";
    configure("ECDSA+SHA256");
    first = verifying_server();
    second = verifying_server();
    SSL_SESSION *session = made_at_first();
    say("alike: %s", meet(second, session, NULL));
    SSL_CTX_free(second);
    configure("RSA+SHA256");
    second = verifying_server();
    say_at_second(session);
}

/* --- what is in a store --- */

/* As OpenVPN replaces its revocation lists: as much is in the store as before. */
static void replace_in_store(SSL_CTX *ctx, const char *name)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    MUST(sk_X509_OBJECT_num(objects) == 1);
    X509_OBJECT_free(sk_X509_OBJECT_delete(objects, 0));
    MUST(X509_STORE_add_cert(store, certificate_of(name)));
}

static void replaced_in_store(void)
{
    client_name = "one";
    first = verifying_server();
    second = verifying_server();
    SSL_SESSION *session = made_at_first();
    say("alike: %s", meet(second, session, NULL));
    replace_in_store(second, "another");
    say_at_second(session);
}

/* Takes what a client has sent from its server, but for the last record. */
static BIO *withhold_last_record(struct connection *connection)
{
    static unsigned char sent[1 << 16];
    int length = BIO_read(SSL_get_rbio(connection->server), sent, sizeof sent), last = 0, at = 0;
    while (at < length) {
        last = at;
        at += 5 + (sent[at + 3] << 8 | sent[at + 4]); /* RFC 8446, section 5.1 */
    }
    BIO *most = BIO_new(BIO_s_mem());
    MUST(length > 0 && last > 0 && at == length && most);
    MUST(BIO_write(most, sent, last) == last);
    BIO_set_mem_eof_return(most, -1);
    MUST(BIO_up_ref(most));
    SSL_set0_rbio(connection->server, most);
    SSL_do_handshake(connection->server);
    MUST(BIO_write(most, sent + last, length - last) == length - last);
    return most;
}

/*
 * The client has been verified, and its Finished is on its way, when what it was verified by is
 * replaced. Its session is not one of a client that would be let in now.
 */
static void replaced_meanwhile(void)
{
    client_name = "one";
    first = verifying_server();
    second = verifying_server();
    replace_in_store(second, "another");
    SSL_CTX *client = new_client();
    struct connection c = open_connection(first, client, NULL, NULL);
    SSL_do_handshake(c.client);
    SSL_do_handshake(c.server);
    SSL_do_handshake(c.client);
    BIO *finished = withhold_last_record(&c);
    replace_in_store(first, "another");
    SSL_do_handshake(c.server);
    BIO_free(finished);
    shake_hands(&c);
    say("meanwhile: %s", outcome(&c));
    SSL_SESSION *session = client_session(&c);
    MUST(session);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    say_at_second(session);
}

/* --- options --- */

/* The server has no extended master secrets any more: libssl fails who resumes one (RFC 7627). */
static void extended_secret(void)
{
    first = new_server();
    second = new_server();
#ifdef SSL_OP_NO_EXTENDED_MASTER_SECRET /* 3.0 */
    SSL_CTX_set_options(second, SSL_OP_NO_EXTENDED_MASTER_SECRET);
#endif
    say_at_second(made_at_first());
}

static const struct scenario scenarios[] = {
    {"extension-demands", extension_demands},
    {"extension-of-server-demands", extension_of_server_demands},
    {"extension-of-certificate", extension_of_certificate},
    {"copy-shows-another", copy_shows_another},
    {"copy-shows-the-same", copy_shows_the_same},
    {"known-keys", known_keys},
    {"common-parameters", common_parameters},
    {"configured", configured},
    {"replaced-in-store", replaced_in_store},
    {"replaced-meanwhile", replaced_meanwhile},
    {"extended-secret", extended_secret},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
