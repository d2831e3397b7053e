/*
 * providers.c - a host that keeps a library context of its own, and whose default one has no
 * algorithms (OSSL_LIB_CTX(3), OSSL_PROVIDER-null(7)). What it sees of a resumed connection, and of
 * the client's certificate there. OpenSSL 3.0 and later.
 */
#include "../../c/lib/tls.h"

#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>

static OSSL_LIB_CTX *own;

static void empty_the_default(void)
{
    if (own)
        return;
    own = OSSL_LIB_CTX_new();
    MUST(own && OSSL_PROVIDER_load(own, "default"));
    MUST(OSSL_PROVIDER_load(NULL, "null"));
    MUST(!EVP_MD_fetch(NULL, "SHA256", NULL));
    ERR_clear_error();
}

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

/* Self-signed; what makes it is in the host's own library context. */
static struct identity new_identity(const char *name, long serial)
{
    struct identity i = {EVP_PKEY_Q_keygen(own, NULL, "EC", "P-256"), X509_new_ex(own, NULL)};
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    MUST(i.key && i.certificate && digest && X509_set_version(i.certificate, 2));
    ASN1_INTEGER_set(X509_get_serialNumber(i.certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(i.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(i.certificate), 86400);
    X509_NAME *subject = X509_get_subject_name(i.certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(i.certificate, subject);
    MUST(X509_set_pubkey(i.certificate, i.key));
    MUST(EVP_DigestSignInit_ex(digest, NULL, "SHA256", own, NULL, i.key, NULL) == 1);
    MUST(X509_sign_ctx(i.certificate, digest) > 0);
    EVP_MD_CTX_free(digest);
    return i;
}

static SSL_CTX *new_context(const SSL_METHOD *method, const struct identity *identity)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(own, NULL, method);
    MUST(ctx && SSL_CTX_set_min_proto_version(ctx, tls_version));
    MUST(SSL_CTX_set_max_proto_version(ctx, tls_version));
    if (identity) {
        MUST(SSL_CTX_use_certificate(ctx, identity->certificate) == 1);
        MUST(SSL_CTX_use_PrivateKey(ctx, identity->key) == 1);
    }
    return ctx;
}

static SSL_CTX *new_own_server(const struct identity *trusted)
{
    struct identity server = new_identity("server", 1);
    SSL_CTX *ctx = new_context(TLS_server_method(), &server);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    MUST(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4));
    if (trusted) {
        MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), trusted->certificate));
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    EVP_PKEY_free(server.key);
    X509_free(server.certificate);
    return ctx;
}

/* What a host does with the certificate of a client that it knows. */
static const char *state_of(X509 *peer, const struct identity *client)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (!peer)
        return "no certificate";
    if (X509_cmp(peer, client->certificate) != 0)
        return "a certificate that is not equal";
    if (!X509_get0_pubkey(peer))
        return "a certificate without its key";
    if (EVP_PKEY_eq(X509_get0_pubkey(peer), client->key) != 1)
        return "a certificate with another key";
    if (X509_check_purpose(peer, X509_PURPOSE_SSL_CLIENT, 0) != 1)
        return "a certificate of no use";
    if (X509_digest(peer, EVP_sha256(), digest, NULL) != 1)
        return "a certificate without a fingerprint";
    return "the certificate";
}

static void connect_once(SSL_CTX *server, SSL_CTX *client, const struct identity *identity,
                         SSL_SESSION **session)
{
    struct connection c = open_connection(server, client, *session, NULL);
    if (!shake_hands(&c))
        ERR_print_errors_fp(stderr);
    MUST(c.done);
    X509 *peer = SSL_get1_peer_certificate(c.server);
    say("%s: %s, verify result %ld", outcome(&c),
        identity ? state_of(peer, identity) : "nobody asked for a certificate",
        SSL_get_verify_result(c.server));
    X509_free(peer);
    SSL_SESSION_free(*session);
    *session = client_session(&c);
    close_connection(&c, CLEAN);
}

static void visits(const struct identity *identity)
{
    SSL_CTX *server = new_own_server(identity);
    SSL_CTX *client = new_context(TLS_client_method(), identity);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 3; i++)
        connect_once(server, client, identity, &session);
    say("%ld hits", SSL_CTX_sess_hits(server));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* Two processes that were forked before either of them served: each serves one connection. */
static void workers(const struct identity *identity)
{
    SSL_CTX *server = new_own_server(identity);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 2; i++) {
        unsigned char der[8192];
        const unsigned char *next = der;
        int ends[2];
        MUST(pipe(ends) == 0);
        pid_t pid = fork();
        if (pid == 0) {
            unsigned char *made = NULL;
            connect_once(server, new_context(TLS_client_method(), identity), identity, &session);
            int length = i2d_SSL_SESSION(session, &made);
            MUST(length > 0 && length <= (int)sizeof der);
            MUST(write(ends[1], made, (size_t)length) == length);
            _exit(0);
        }
        close(ends[1]);
        ssize_t length = read(ends[0], der, sizeof der);
        close(ends[0]);
        wait_child(pid);
        SSL_SESSION_free(session);
        session = d2i_SSL_SESSION(NULL, &next, length);
        MUST(session);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* With a client that has a certificate, and that is asked for it, or with one that has none. */
static void serve(bool known, void (*how)(const struct identity *))
{
    empty_the_default();
    if (!known) {
        how(NULL);
        return;
    }
    struct identity client = new_identity("client", 2);
    how(&client);
    EVP_PKEY_free(client.key);
    X509_free(client.certificate);
}

static void anonymous(void)
{
    serve(false, visits);
}

static void known(void)
{
    serve(true, visits);
}

static void anonymous_workers(void)
{
    serve(false, workers);
}

static void known_workers(void)
{
    serve(true, workers);
}

/* Tickets that carry their sessions: their keys are of that library context too. */
static void tickets(void)
{
    empty_the_default();
    SSL_CTX *server = new_own_server(NULL), *client = new_context(TLS_client_method(), NULL);
    SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 3; i++)
        connect_once(server, client, NULL, &session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(int argc, char **argv)
{
    const struct scenario scenarios[] = {
        {"anonymous", anonymous},
        {"known", known},
        {"anonymous-workers", anonymous_workers},
        {"known-workers", known_workers},
        {"tickets", tickets},
    };
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
