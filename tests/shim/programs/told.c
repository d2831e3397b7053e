/*
 * told.c - contexts and sessions of which the store tells something from outside: under which name
 * a context is known, and why a session stays in its process or was not resumed.
 */
#include "../../c/lib/verifying.h"

#include <string.h>

#include <openssl/x509v3.h>

/* The certificate that ctx has already, with another subject and one more extension, either of
 * which may be NULL. */
static X509 *changed(SSL_CTX *ctx, const char *subject, X509_EXTENSION *extension)
{
    X509 *certificate = X509_dup(SSL_CTX_get0_certificate(ctx));
    EVP_PKEY *key = SSL_CTX_get0_privatekey(ctx);
    X509_NAME *name = X509_NAME_new();
    MUST(certificate && name);
    if (subject)
        MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)subject,
                                        -1, -1, 0));
    MUST(X509_set_subject_name(certificate, name) && X509_set_pubkey(certificate, key));
    MUST(!extension || X509_add_ext(certificate, extension, -1));
    MUST(X509_sign(certificate, key, EVP_sha256()));
    MUST(SSL_CTX_use_certificate(ctx, certificate) == 1);
    X509_NAME_free(name);
    X509_EXTENSION_free(extension);
    return certificate;
}

/* A subjectAltName of one name, of any bytes. */
static X509_EXTENSION *alternative(int type, const char *bytes, int length)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    MUST(name && text && names && ASN1_STRING_set(text, bytes, length));
    GENERAL_NAME_set0_value(name, type, text);
    MUST(sk_GENERAL_NAME_push(names, name) == 1);
    X509_EXTENSION *extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
    MUST(extension);
    GENERAL_NAMES_free(names);
    return extension;
}

/* Contexts whose certificates are called so, which serve a session each. */
static void named(const char *subject, int type, const char *bytes, int length)
{
    SSL_CTX *server = new_server();
    X509 *certificate = changed(server, subject, bytes ? alternative(type, bytes, length) : NULL);
    serve_twice(server);
    X509_free(certificate);
    SSL_CTX_free(server);
}

static void labels(void)
{
    static const char hidden[] = "hidden.example\0.shown.example";
    static const char marks[] = "a\"b\\c<d\n\x7f\xc3\xa9.example";
    named("subject.example", GEN_DNS, "first.example", 13);
    named("only.example", GEN_DNS, NULL, 0);
    named("mail.example", GEN_EMAIL, "who@mail.example", 16);
    named(NULL, GEN_EMAIL, "who@nobody.example", 18);
    named("subject.example", GEN_DNS, "a-name-of-more-than-forty-characters-that-is-cut.example",
          56);
    named("subject.example", GEN_DNS, hidden, sizeof hidden - 1);
    named("subject.example", GEN_DNS, marks, sizeof marks - 1);
    named("empty.example", GEN_DNS, "", 0);
}

/* One that takes another certificate later is known as what it was when it was first served. */
static void renamed(void)
{
    SSL_CTX *server = new_server();
    serve_twice(server);
    X509 *certificate = changed(server, "another.example", NULL);
    serve_twice(server);
    X509_free(certificate);
    SSL_CTX_free(server);
}

/* A server that trusts the certificate of "one", and a client. */
static void verified(const char *name, SSL_CTX **server, SSL_CTX **client)
{
    client_name = name;
    *server = verifying();
    *client = new_client();
    SSL_CTX_set_num_tickets(*server, 1);
}

static void visits(SSL_CTX *server, SSL_CTX *client)
{
    SSL_SESSION *session = NULL;
    say("%s", visit(server, client, &session, NULL));
    say("%s", visit(server, client, &session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* libssl gives the host the chain again, as it keeps the object; a session's bytes lack it. */
static void chain(void)
{
    SSL_CTX *server, *client;
    verified("one", &server, &client);
    MUST(SSL_CTX_add1_chain_cert(client, certificate_of("other")) == 1);
    visits(server, client);
}

/* The client's certificate alone is larger than what a store takes. */
static void large(void)
{
    static char comment[7000];
    SSL_CTX *server, *client;
    verified("two", &server, &client);
    ASN1_OCTET_STRING *content = ASN1_OCTET_STRING_new();
    MUST(content && ASN1_OCTET_STRING_set(content, (unsigned char *)comment, sizeof comment));
    X509_EXTENSION *extension =
        X509_EXTENSION_create_by_NID(NULL, NID_netscape_comment, 0, content);
    ASN1_OCTET_STRING_free(content);
    X509 *certificate = changed(client, "two", extension);
    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), certificate));
    visits(server, client);
    X509_free(certificate);
}

static void twice(void)
{
    SSL_CTX *server = new_server();
    serve_twice(server);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {
    {"labels", labels}, {"renamed", renamed}, {"chain", chain}, {"large", large}, {"twice", twice},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
