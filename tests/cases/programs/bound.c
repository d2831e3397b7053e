/*
 * bound.c - a session is bound to the certificates that a full handshake would show now, however
 * the host chooses them. Each scenario resumes a session while they are the same, and offers one
 * when a certificate has been renewed or is another one.
 */
#include "../../c/lib/sites.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

static void say_before_and_after(SSL_CTX *server, const char *name, void (*change)(void))
{
    SSL_SESSION *session;
    MUST(strcmp(full(server, &session, name), "full") == 0);
    say("same: %s", again(server, session, name));
    SSL_SESSION_free(session);
    MUST(strcmp(full(server, &session, name), "full") == 0);
    change();
    say("changed: %s", again(server, session, name));
    SSL_SESSION_free(session);
    MUST(strcmp(full(server, &session, name), "full") == 0);
    say("then: %s", again(server, session, name));
    SSL_SESSION_free(session);
}

static SSL_CTX *server, *second;

/* --- the certificates of one context --- */

static void change_all(void)
{
    use_certificate(server, "another");
}

static void only_certificate(void)
{
    server = new_server();
    say_before_and_after(server, NULL, change_all);
    SSL_CTX_free(server);
}

/* A certificate of another kind of key than those of use_certificate: Ed25519. */
static void use_second_kind(SSL_CTX *ctx)
{
    static EVP_PKEY *key;
    static long serial = 1000;
    if (!key) {
        EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
        MUST(maker && EVP_PKEY_keygen_init(maker) == 1 && EVP_PKEY_keygen(maker, &key) == 1);
        EVP_PKEY_CTX_free(maker);
    }
    X509 *certificate = X509_new();
    MUST(certificate && X509_set_version(certificate, 2));
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"second", -1, -1,
                               0);
    X509_set_issuer_name(certificate, subject);
    MUST(X509_set_pubkey(certificate, key) && X509_sign(certificate, key, NULL));
    MUST(SSL_CTX_use_certificate(ctx, certificate) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    X509_free(certificate);
}

static void renew_second_kind(void)
{
    use_second_kind(server);
    use_certificate(server, "server"); /* the last one loaded is the same as before */
}

/* A client that takes the second kind alone: that is the one which is renewed. */
static void second_kind_renewed(void)
{
    char second_kind[] = "ed25519";
    SSL_CTX *client = new_client();
    SSL_SESSION *session = NULL;
    server = new_server();
    renew_second_kind();
    MUST(SSL_CTX_set1_sigalgs_list(client, second_kind));
    for (int i = 0; i < 4; i++) {
        struct connection c = open_connection(server, client, session, NULL);
        MUST(shake_hands(&c));
        say("%s: %s", i < 2 ? "same" : i == 2 ? "renewed" : "then", outcome(&c));
        SSL_SESSION_free(session);
        session = client_session(&c);
        close_connection(&c, CLEAN);
        if (i == 1)
            renew_second_kind();
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* --- chosen for each connection --- */

static const char *chosen = "server";

static void choose_other(void)
{
    chosen = "another";
}

static SSL_CTX *without_certificate(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    MUST(ctx && SSL_CTX_set_min_proto_version(ctx, tls_version));
    MUST(SSL_CTX_set_max_proto_version(ctx, tls_version));
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    MUST(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4));
    return ctx;
}

static int choose(SSL *ssl, void *unused)
{
    (void)unused;
    SSL_CTX *holder = new_server();
    use_certificate(holder, chosen);
    MUST(SSL_use_certificate(ssl, SSL_CTX_get0_certificate(holder)) == 1);
    MUST(SSL_use_PrivateKey(ssl, SSL_CTX_get0_privatekey(holder)) == 1);
    SSL_CTX_free(holder);
    return 1;
}

/* nginx's ssl_certificate with variables: the callback is called for a full handshake alone. */
static void by_certificate_callback(void)
{
    server = without_certificate();
    SSL_CTX_set_cert_cb(server, choose, NULL);
    say_before_and_after(server, NULL, choose_other);
    SSL_CTX_free(server);
}

static const char *visit_with_own(SSL_CTX *client, SSL_SESSION **session)
{
    struct connection c = open_connection(server, client, *session, NULL);
    choose(c.server, NULL);
    MUST(shake_hands(&c));
    SSL_SESSION_free(*session);
    *session = client_session(&c);
    const char *result = outcome(&c);
    close_connection(&c, CLEAN);
    return result;
}

static void on_the_connection(void)
{
    SSL_CTX *client = new_client();
    SSL_SESSION *session = NULL;
    server = without_certificate();
    MUST(strcmp(visit_with_own(client, &session), "full") == 0);
    say("same: %s", visit_with_own(client, &session));
    choose_other();
    say("changed: %s", visit_with_own(client, &session));
    say("then: %s", visit_with_own(client, &session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* --- of the context that a name leads to --- */

static struct site sites[] = {{"a.test", NULL}, {NULL, NULL}};

static void change_second(void)
{
    use_certificate(second, "another");
}

static SSL_CTX *replaced;

/* HAProxy's command line: another context takes the place of the one that the name led to. */
static void replace_second(void)
{
    replaced = new_server();
    use_certificate(replaced, "another");
    sites[0].ctx = replaced;
}

static void say_switched(enum moment moment, SSL_CTX *from, void (*change)(void))
{
    SSL_SESSION *session;
    server = from;
    second = sites[0].ctx = new_server();
    use_certificate(second, "second");
    use_sites(server, moment, sites);
    full(server, &session, "a.test"); /* where the name leads to has been seen */
    SSL_SESSION_free(session);
    say_before_and_after(server, "a.test", change);
    SSL_CTX_free(server);
    SSL_CTX_free(second);
    SSL_CTX_free(replaced);
}

static void first_without_certificate(void)
{
    say_switched(EARLY, without_certificate(), change_second);
}

static void early_replaced(void)
{
    say_switched(EARLY, without_certificate(), replace_second);
}

static void late_renewed(void)
{
    say_switched(LATE, new_server(), change_second);
}

static void late_replaced(void)
{
    say_switched(LATE, new_server(), replace_second);
}

static const struct scenario scenarios[] = {
    {"only-certificate", only_certificate},
    {"second-kind-renewed", second_kind_renewed},
    {"by-certificate-callback", by_certificate_callback},
    {"on-the-connection", on_the_connection},
    {"first-without-certificate", first_without_certificate},
    {"early-replaced", early_replaced},
    {"late-renewed", late_renewed},
    {"late-replaced", late_replaced},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
