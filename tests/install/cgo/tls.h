/* tls.h - both ends of a TLS connection in memory, for Go: OpenSSL's macros as functions. */
#ifndef GOSESS_TESTS_INSTALL_TLS_H
#define GOSESS_TESTS_INSTALL_TLS_H

#include <stdbool.h>

#include <gosess.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* A context of one version of TLS, without tickets that carry their session; NULL: it failed. */
SSL_CTX *new_server(int version, const char *certificate, const char *key);
SSL_CTX *new_client(int version);

enum outcome { FAILED, FULL, RESUMED };

/* Makes a connection, with *session where it is not NULL, which is replaced by the new one. */
enum outcome connect_both(SSL_CTX *server, SSL_CTX *client, SSL_SESSION **session);

#endif
