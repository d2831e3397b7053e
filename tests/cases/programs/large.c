/*
 * large.c - clients that show large certificates: their sessions push out nobody else's.
 */
#include "../../c/lib/tls.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#define OTHERS 300
#define LARGE 400
#define COMMENT 3000

/* One that the client has signed itself, of 3 KB: a shared store takes its session. */
static X509 *make_large(SSL_CTX *client)
{
    static unsigned char comment[COMMENT];
    X509 *certificate = X509_dup(certificate_of("client"));
    EVP_PKEY *key = SSL_CTX_get0_privatekey(client);
    ASN1_OCTET_STRING *content = ASN1_OCTET_STRING_new();
    memset(comment, 'x', sizeof comment);
    MUST(content && ASN1_OCTET_STRING_set(content, comment, sizeof comment));
    X509_EXTENSION *extension =
        X509_EXTENSION_create_by_NID(NULL, NID_netscape_comment, 0, content);
    MUST(certificate && extension && X509_add_ext(certificate, extension, -1));
    MUST(X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()));
    MUST(SSL_CTX_use_certificate(client, certificate) == 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(content);
    return certificate;
}

static void crowd(void)
{
    SSL_CTX *server = new_server(), *plain = new_client();
    client_name = "client";
    SSL_CTX *client = new_client();
    X509 *certificate = make_large(client);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), certificate));
    static SSL_SESSION *others[OTHERS];
    int resumed = 0;
    for (int i = 0; i < OTHERS; i++)
        MUST(strcmp(visit(server, plain, &others[i], NULL), "full") == 0);
    for (int i = 0; i < LARGE; i++) {
        SSL_SESSION *session = NULL;
        MUST(strcmp(visit(server, client, &session, NULL), "full") == 0);
        SSL_SESSION_free(session);
    }
    for (int i = 0; i < OTHERS; i++) {
        resumed += strcmp(visit(server, plain, &others[i], NULL), "resumed") == 0;
        SSL_SESSION_free(others[i]);
    }
    say("of the others: %d of %d", resumed, OTHERS);
    X509_free(certificate);
    SSL_CTX_free(client);
    SSL_CTX_free(plain);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {
    {"crowd", crowd},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
