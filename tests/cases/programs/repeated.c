/*
 * repeated.c - hosts that set what is set already before each connection, and clients with large
 * certificates: neither costs memory that grows, nor the sessions of others.
 */
#include "../../c/lib/tls.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* --- set again --- */

#define ROUNDS 1000

static long resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    MUST(file && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void announce(SSL_CTX *ctx)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate_of("one")));
    MUST(names && name && sk_X509_NAME_push(names, name));
    SSL_CTX_set_client_CA_list(ctx, names);
}

static int accept_all(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static int accept_chain(X509_STORE_CTX *store, void *argument)
{
    (void)store, (void)argument;
    return 1;
}

static void set_callback(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_all);
}

static void set_argument(SSL_CTX *ctx)
{
    static int argument;
    SSL_CTX_set_cert_verify_callback(ctx, accept_chain, &argument);
}

/* The first tenth may grow what all of them need. */
static void say_rounds(void (*set)(SSL_CTX *))
{
    SSL_CTX *server = new_server();
    SSL_SESSION *session;
    long before = 0;
    size_t used = 0;
    int resumed = 0;
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server), certificate_of("one"));
    set(server);
    MUST(strcmp(full(server, &session, NULL), "full") == 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (i == ROUNDS / 10) {
            before = resident();
            used = mallinfo2().uordblks;
        }
        set(server);
        resumed += strcmp(again(server, session, NULL), "resumed") == 0;
    }
    /* 64 KiB are 70 bytes for each connection; Go's own heap comes and goes. */
    bool flat = mallinfo2().uordblks < used + (64 << 10) && resident() < before + before / 4;
    say("resumed: %s", resumed == ROUNDS ? "all" : resumed == 0 ? "none" : "some");
    say("memory: %s", flat ? "flat" : "grown");
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static void authorities(void)
{
    say_rounds(announce);
}

static void callback(void)
{
    say_rounds(set_callback);
}

static void callback_with_argument(void)
{
    say_rounds(set_argument);
}

/* --- large sessions --- */

#define VICTIMS 50
#define OTHERS 16000
#define LARGE 160
#define CERTIFICATE_BYTES 20000

/* A session as a server makes them, without the handshake. */
static void add_session(SSL_CTX *server, const SSL_CIPHER *cipher, int number)
{
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH] = {0}, key[SSL_MAX_MASTER_KEY_LENGTH] = {1};
    SSL_SESSION *session = SSL_SESSION_new();
    memcpy(id, &number, sizeof number); /* in front, where libssl's hash looks */
    MUST(session && SSL_SESSION_set1_id(session, id, sizeof id));
    MUST(SSL_SESSION_set1_id_context(session, (const unsigned char *)"test", 4));
    MUST(SSL_SESSION_set1_master_key(session, key, sizeof key));
    MUST(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION));
    MUST(SSL_SESSION_set_cipher(session, cipher));
    SSL_SESSION_set_time(session, (long)time(NULL));
    SSL_SESSION_set_timeout(session, 7200);
    MUST(SSL_CTX_add_session(server, session) == 1);
    SSL_SESSION_free(session);
}

/* A self-signed certificate with an extension of that size, which nobody knows. */
static X509 *large_certificate(void)
{
    static unsigned char content[CERTIFICATE_BYTES];
    X509 *certificate = X509_dup(certificate_of("client"));
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *type = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
    MUST(certificate && value && type);
    MUST(ASN1_OCTET_STRING_set(value, content, sizeof content));
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, type, 0, value);
    MUST(extension && X509_add_ext(certificate, extension, -1));
    ASN1_OBJECT_free(type);
    ASN1_OCTET_STRING_free(value);
    X509_EXTENSION_free(extension);
    return certificate;
}

static SSL_CTX *large_client(void)
{
    SSL_CTX *client, *holder = new_server();
    X509 *certificate = large_certificate();
    client_name = "client";
    client = new_client();
    client_name = NULL;
    use_certificate(holder, "client");
    EVP_PKEY *key = SSL_CTX_get0_privatekey(holder);
    MUST(X509_sign(certificate, key, EVP_sha256()));
    MUST(SSL_CTX_use_certificate(client, certificate) == 1);
    MUST(SSL_CTX_use_PrivateKey(client, key) == 1);
    X509_free(certificate);
    SSL_CTX_free(holder);
    return client;
}

/* A store that is nearly full of ordinary sessions; a few of them are those of real clients. */
static void large_sessions(void)
{
    static SSL_SESSION *victims[VICTIMS];
    SSL_CTX *server = new_server(), *large = large_client();
    SSL_CTX_sess_set_cache_size(server, 0);
    SSL_CTX_set_max_cert_list(server, 1 << 20);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, accept_all);
    for (int i = 0, other = 0; i < VICTIMS; i++) {
        MUST(strcmp(full(server, &victims[i], NULL), "full") == 0);
        const SSL_CIPHER *cipher = SSL_SESSION_get0_cipher(victims[i]);
        while (other < (i + 1) * (OTHERS / VICTIMS))
            add_session(server, cipher, other++);
    }
    for (int i = 0; i < LARGE; i++) {
        SSL_SESSION *session = NULL;
        MUST(strcmp(visit(server, large, &session, NULL), "full") == 0);
        SSL_SESSION_free(session);
    }
    int left = 0;
    for (int i = 0; i < VICTIMS; i++) {
        left += strcmp(again(server, victims[i], NULL), "resumed") == 0;
        SSL_SESSION_free(victims[i]);
    }
    say("%s two in three are left", left * 3 >= VICTIMS * 2 ? "more than" : "fewer than");
    SSL_CTX_free(large);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {
    {"authorities", authorities},
    {"callback", callback},
    {"callback-with-argument", callback_with_argument},
    {"large-sessions", large_sessions},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
