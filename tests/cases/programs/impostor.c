/*
 * impostor.c - a connection that has not proved that it knows a session's master secret removes
 * nothing and uses up nothing, even if it knows the id. The victim comes back afterwards.
 */
#define _GNU_SOURCE
#include "../../c/lib/tls.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

static SSL_CTX *server;

static void begin(void)
{
    server = new_server();
    SSL_CTX_set_num_tickets(server, 1);
}

/* The session with another master secret. */
static SSL_SESSION *forged(SSL_SESSION *session)
{
    unsigned char secret[SSL_MAX_MASTER_KEY_LENGTH], *der = NULL;
    size_t length = SSL_SESSION_get_master_key(session, secret, sizeof secret);
    int size = i2d_SSL_SESSION(session, &der);
    MUST(size > 0 && length > 0);
    unsigned char *found = memmem(der, (size_t)size, secret, length);
    MUST(found);
    memset(found, 'Z', length);
    const unsigned char *bytes = der;
    SSL_SESSION *result = d2i_SSL_SESSION(NULL, &bytes, size);
    MUST(result);
    OPENSSL_free(der);
    return result;
}

static void with_wrong_key(SSL_SESSION *session)
{
    SSL_SESSION *wrong = forged(session);
    say("impostor: %s", again(server, wrong, NULL));
    SSL_SESSION_free(wrong);
}

/* TLS 1.2: without the cipher of the session, which ends in an alert (RFC 5246, section 7.4.1.2).
 */
static void with_other_cipher(SSL_SESSION *session)
{
    SSL_CTX *client = new_client();
    const char *used = SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(session));
    const char *gcm = "ECDHE-ECDSA-AES128-GCM-SHA256", *chacha = "ECDHE-ECDSA-CHACHA20-POLY1305";
    MUST(SSL_CTX_set_cipher_list(client, strcmp(used, gcm) == 0 ? chacha : gcm));
    struct connection c = open_connection(server, client, session, NULL);
    shake_hands(&c);
    say("impostor: %s", outcome(&c));
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
}

/* TLS 1.2: without the extended master secret, which ends in an alert (RFC 7627, section 5.3). */
static void without_extended_secret(SSL_SESSION *session)
{
#ifdef SSL_OP_NO_EXTENDED_MASTER_SECRET
    SSL_CTX *client = new_client();
    SSL_CTX_set_options(client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    struct connection c = open_connection(server, client, session, NULL);
    shake_hands(&c);
    say("impostor: %s", outcome(&c));
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
#else
    (void)session;
    say("impostor: failed"); /* a client of 1.1.1 cannot leave it out: there is none */
#endif
}

static void one_step(SSL *ssl)
{
    ERR_clear_error();
    SSL_do_handshake(ssl);
}

/* The server has answered the ClientHello when its peer is gone. */
static void cut_off(SSL_SESSION *session)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(server, client, session, NULL);
    one_step(c.client);
    one_step(c.server);
    MUST(!SSL_is_init_finished(c.server));
    close_connection(&c, UNCLEAN);
    SSL_CTX_free(client);
    say("impostor: cut off");
}

/* The server gets bytes that are no record instead of the client's Finished. */
static void garbage_follows(SSL_SESSION *session)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(server, client, session, NULL);
    one_step(c.client);
    one_step(c.server);
    MUST(!SSL_is_init_finished(c.server));
    BIO_write(SSL_get_wbio(c.client), "this is no TLS record", 21);
    one_step(c.server);
    close_connection(&c, UNCLEAN);
    SSL_CTX_free(client);
    say("impostor: garbage");
}

static void say_victim(void (*come)(SSL_SESSION *))
{
    SSL_SESSION *session;
    MUST(strcmp(full(server, &session, NULL), "full") == 0);
    for (int i = 0; i < 3; i++)
        come(session);
    say("victim: %s", again(server, session, NULL));
    say("once more: %s", again(server, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

#define ATTEMPT(name)                             \
    static void try_##name(void)                  \
    {                                             \
        begin();                                  \
        say_victim(name);                         \
    }                                             \
    static void early_##name(void)                \
    {                                             \
        begin();                                  \
        SSL_CTX_set_max_early_data(server, 1024); \
        say_victim(name);                         \
    }
ATTEMPT(with_wrong_key)
ATTEMPT(cut_off)
ATTEMPT(garbage_follows)

static void try_other_cipher(void)
{
    begin();
    say_victim(with_other_cipher);
}

static void try_without_extended_secret(void)
{
    begin();
    say_victim(without_extended_secret);
}

static const struct scenario scenarios[] = {
    {"wrong-key", try_with_wrong_key},     {"cut-off", try_cut_off},
    {"garbage", try_garbage_follows},      {"early-data-wrong-key", early_with_wrong_key},
    {"early-data-cut-off", early_cut_off}, {"early-data-garbage", early_garbage_follows},
    {"other-cipher", try_other_cipher},    {"without-extended-secret", try_without_extended_secret},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
