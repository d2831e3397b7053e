/*
 * writer.c - adds a session to the cache, says so, and adds it again until it is killed. It is
 * its own, so that it writes to one set, and large, so that it has the lock much of the time.
 */
#include <stdio.h>

#include <openssl/rand.h>
#include <openssl/ssl.h>

int main(void)
{
    static const unsigned char cipher[] = {0xc0, 0x2f}; /* ECDHE-RSA-AES128-GCM-SHA256 */
    static const unsigned char filling[4096];
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH], secret[SSL_MAX_MASTER_KEY_LENGTH];
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_SESSION *session = SSL_SESSION_new();
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    if (!ssl || !session || RAND_bytes(id, sizeof id) != 1 ||
        RAND_bytes(secret, sizeof secret) != 1 || !SSL_SESSION_set1_id(session, id, sizeof id) ||
        !SSL_SESSION_set1_master_key(session, secret, sizeof secret) ||
        !SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) ||
        !SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, cipher)) ||
        !SSL_SESSION_set1_ticket_appdata(session, filling, sizeof filling) ||
        !SSL_CTX_add_session(ctx, session) || puts("added") < 0 || fflush(stdout) != 0)
        return 1;
    for (;;)
        SSL_CTX_add_session(ctx, session);
}
