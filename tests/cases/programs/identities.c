/*
 * identities.c - clients that are known by something else than a certificate, which a callback of
 * the server's looks up: a pre-shared key, an SRP password. Each scenario offers the session of a
 * client that one context knows to it, and to another one that does not know the client.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SRP is, in 3.0 */
#include "../../c/lib/tls.h"

#include <string.h>

#include <openssl/srp.h>

static unsigned know(SSL *ssl, const char *identity, unsigned char *key, unsigned size)
{
    (void)ssl;
    if (strcmp(identity, "alice") != 0 || size < 16)
        return 0;
    memset(key, 7, 16);
    return 16;
}

static unsigned know_nobody(SSL *ssl, const char *identity, unsigned char *key, unsigned size)
{
    (void)ssl, (void)identity, (void)key, (void)size;
    return 0;
}

static unsigned be_alice(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
                         unsigned char *key, unsigned size)
{
    (void)hint;
    MUST(identity_size > strlen("alice"));
    strcpy(identity, "alice");
    return know(ssl, identity, key, size);
}

/* In TLS 1.3 a key that is found makes the connection one that resumes, by libssl's own words. */
static void say_connection(const char *what, SSL_CTX *server, SSL_CTX *client,
                           SSL_SESSION **session)
{
    struct connection c = open_connection(server, client, *session, NULL);
    if (shake_hands(&c) && !*session)
        *session = client_session(&c);
    say("%s: %s", what, outcome(&c));
    close_connection(&c, CLEAN);
}

/* The first client shows who it is; the second one only has the first one's session. */
static void say_known(SSL_CTX *knowing, SSL_CTX *other, SSL_CTX *client, SSL_CTX *second)
{
    SSL_SESSION *session = NULL;
    say_connection("known", knowing, client, &session);
    MUST(session);
    say_connection("another", other, second, &session);
    say_connection("its own", knowing, second, &session);
    SSL_SESSION_free(session);
    SSL_CTX_free(knowing);
    SSL_CTX_free(other);
    SSL_CTX_free(client);
    SSL_CTX_free(second);
}

static SSL_CTX *with_keys(SSL_CTX *ctx)
{
    if (tls_version == TLS1_3_VERSION)
        MUST(SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256"));
    else
        MUST(SSL_CTX_set_cipher_list(ctx, "PSK-AES128-GCM-SHA256"));
    return ctx;
}

static SSL_CTX *client_with_keys(bool shows)
{
    SSL_CTX *ctx = with_keys(new_client());
    if (shows || tls_version != TLS1_3_VERSION) /* it is its cipher's kind, there */
        SSL_CTX_set_psk_client_callback(ctx, be_alice);
    return ctx;
}

static void by_context(void)
{
    SSL_CTX *knowing = with_keys(new_server()), *other = with_keys(new_server());
    SSL_CTX_set_psk_server_callback(knowing, know);
    SSL_CTX_set_psk_server_callback(other, know_nobody);
    say_known(knowing, other, client_with_keys(true), client_with_keys(false));
}

static int set_callback(SSL *ssl, int *alert, void *any)
{
    (void)alert;
    SSL_set_psk_server_callback(ssl, any ? know : know_nobody);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static void by_connection(void)
{
    static char any;
    SSL_CTX *knowing = with_keys(new_server()), *other = with_keys(new_server());
    SSL_CTX_set_client_hello_cb(knowing, set_callback, &any);
    SSL_CTX_set_client_hello_cb(other, set_callback, NULL);
    say_known(knowing, other, client_with_keys(true), client_with_keys(false));
}

/* --- TLS 1.3 has a callback of its own --- */

static SSL_SESSION *session_of_key(SSL *ssl)
{
    static const unsigned char key[16] = {7}, id[] = {0x13, 0x01}; /* TLS_AES_128_GCM_SHA256 */
    SSL_SESSION *session = SSL_SESSION_new();
    MUST(session && SSL_SESSION_set1_master_key(session, key, sizeof key));
    MUST(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, id)));
    MUST(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION));
    return session;
}

static int find(SSL *ssl, const unsigned char *identity, size_t length, SSL_SESSION **session)
{
    bool alice = length == strlen("alice") && memcmp(identity, "alice", length) == 0;
    *session = alice ? session_of_key(ssl) : NULL;
    return 1;
}

static int find_nobody(SSL *ssl, const unsigned char *identity, size_t length,
                       SSL_SESSION **session)
{
    (void)ssl, (void)identity, (void)length;
    *session = NULL;
    return 1;
}

static int use_alice(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *length,
                     SSL_SESSION **session)
{
    (void)digest;
    *identity = (const unsigned char *)"alice";
    *length = strlen("alice");
    *session = session_of_key(ssl);
    return 1;
}

static void by_found_session(void)
{
    SSL_CTX *knowing = with_keys(new_server()), *other = with_keys(new_server());
    SSL_CTX *client = with_keys(new_client());
    SSL_CTX_set_psk_find_session_callback(knowing, find);
    SSL_CTX_set_psk_find_session_callback(other, find_nobody);
    SSL_CTX_set_psk_use_session_callback(client, use_alice);
    say_known(knowing, other, client, with_keys(new_client()));
}

static int set_finder(SSL *ssl, int *alert, void *any)
{
    (void)alert;
    SSL_set_psk_find_session_callback(ssl, any ? find : find_nobody);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static void by_found_session_of_connection(void)
{
    static char any;
    SSL_CTX *knowing = with_keys(new_server()), *other = with_keys(new_server());
    SSL_CTX *client = with_keys(new_client());
    SSL_CTX_set_client_hello_cb(knowing, set_finder, &any);
    SSL_CTX_set_client_hello_cb(other, set_finder, NULL);
    SSL_CTX_set_psk_use_session_callback(client, use_alice);
    say_known(knowing, other, client, with_keys(new_client()));
}

/* --- clients that are known by nothing, of a server that knows others by keys --- */

static SSL_CTX *server_with_callbacks(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_psk_server_callback(ctx, know);
    SSL_CTX_set_psk_find_session_callback(ctx, find);
    return ctx;
}

static void without_key(void)
{
    say_known(server_with_callbacks(), server_with_callbacks(), new_client(), new_client());
}

/* What comes of a session that was resumed, by a client of one context, for another one. */
static void say_resumed(SSL_CTX *client)
{
    SSL_SESSION *session = NULL;
    SSL_CTX *server = server_with_callbacks(), *other = server_with_callbacks();
    say("%s", visit(server, client, &session, NULL));
    say("%s", visit(server, client, &session, NULL));
    say_connection("another", other, client, &session);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(other);
    SSL_CTX_free(client);
}

static void resumed_without_key(void)
{
    say_resumed(new_client());
}

static int use_bob(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *length,
                   SSL_SESSION **session)
{
    int used = use_alice(ssl, digest, identity, length, session);
    *identity = (const unsigned char *)"bob";
    *length = strlen("bob");
    return used;
}

/* Nobody can say which of the two it is that the connection has resumed. */
static void resumed_beside_key(void)
{
    SSL_CTX *client = with_keys(new_client());
    SSL_CTX_set_psk_use_session_callback(client, use_bob);
    say_resumed(client);
}

/* --- SRP --- */

static int look_up(SSL *ssl, int *alert, void *known)
{
    const char *name = SSL_get_srp_username(ssl);
    *alert = SSL_AD_UNKNOWN_PSK_IDENTITY;
    if (!name || strcmp(name, known) != 0)
        return SSL3_AL_FATAL;
    return SSL_set_srp_server_param_pw(ssl, known, "secret", "2048") == 1 ? SSL_ERROR_NONE
                                                                          : SSL3_AL_FATAL;
}

static char alice[] = "alice", bob[] = "bob", secret[] = "secret";

static SSL_CTX *server_that_knows(char *name)
{
    SSL_CTX *ctx = new_server();
    MUST(SSL_CTX_set_cipher_list(ctx, "SRP-AES-128-CBC-SHA"));
    SSL_CTX_set_srp_username_callback(ctx, look_up);
    SSL_CTX_set_srp_cb_arg(ctx, name);
    return ctx;
}

static SSL_CTX *client_that_is(char *name)
{
    SSL_CTX *ctx = new_client();
    MUST(SSL_CTX_set_cipher_list(ctx, "SRP-AES-128-CBC-SHA"));
    MUST(SSL_CTX_set_srp_username(ctx, name));
    MUST(SSL_CTX_set_srp_password(ctx, secret));
    return ctx;
}

/* libssl asks again who resumes: one whom the other context knows, with the session of the first.
 */
static void by_password(void)
{
    SSL_SESSION *session = NULL;
    SSL_CTX *knows_alice = server_that_knows(alice), *knows_bob = server_that_knows(bob),
            *is_alice = client_that_is(alice), *is_bob = client_that_is(bob);
    say_connection("known", knows_alice, is_alice, &session);
    MUST(session);
    say_connection("another", knows_bob, is_bob, &session);
    say_connection("its own", knows_alice, is_alice, &session);
    SSL_SESSION_free(session);
    SSL_CTX_free(knows_alice);
    SSL_CTX_free(knows_bob);
    SSL_CTX_free(is_alice);
    SSL_CTX_free(is_bob);
}

static const struct scenario scenarios[] = {
    {"by-context", by_context},
    {"by-connection", by_connection},
    {"by-found-session", by_found_session},
    {"by-found-session-of-connection", by_found_session_of_connection},
    {"without-key", without_key},
    {"resumed-without-key", resumed_without_key},
    {"resumed-beside-key", resumed_beside_key},
    {"by-password", by_password},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
