/*
 * rebuilt.c - a program that was built again: its verification callback lies where it lay, and does
 * something else. BUILD, 1 or 2, is what differs. The certificate, its key and the file that the
 * client's session is kept in are named by CERTIFICATE, KEY and SESSION.
 */
#include "../../c/lib/tls.h"

#include <stdlib.h>

#include <openssl/pem.h>

#ifndef BUILD
#    define BUILD 1
#endif

int verify_client(int ok, X509_STORE_CTX *store);
int verify_client(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return BUILD; /* a number that is an operand of the same length */
}

static const char *path_of(const char *name)
{
    const char *path = getenv(name);
    MUST(path);
    return path;
}

static SSL_CTX *verifying(void)
{
    SSL_CTX *ctx = new_server();
    MUST(SSL_CTX_use_certificate_file(ctx, path_of("CERTIFICATE"), SSL_FILETYPE_PEM) == 1);
    MUST(SSL_CTX_use_PrivateKey_file(ctx, path_of("KEY"), SSL_FILETYPE_PEM) == 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify_client);
    return ctx;
}

static void make(void)
{
    SSL_CTX *server = verifying();
    SSL_SESSION *session;
    say("%s", full(server, &session, NULL));
    FILE *file = fopen(path_of("SESSION"), "w");
    MUST(file && PEM_write_SSL_SESSION(file, session) == 1 && fclose(file) == 0);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static void offer(void)
{
    SSL_CTX *server = verifying();
    FILE *file = fopen(path_of("SESSION"), "r");
    SSL_SESSION *session = file ? PEM_read_SSL_SESSION(file, NULL, NULL, NULL) : NULL;
    MUST(session && fclose(file) == 0);
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {{"make", make}, {"offer", offer}};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
