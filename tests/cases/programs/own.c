/*
 * own.c - connections that decide on their clients otherwise than their context does, by what the
 * SSL alone has: a copy that was made before, or what the host has set.
 */
#include "../../c/lib/tls.h"

#include <string.h>

#include <openssl/x509v3.h>

typedef void (*rule)(SSL *);

static X509_STORE *store_of(const char *name)
{
    X509_STORE *store = X509_STORE_new();
    MUST(store && X509_STORE_add_cert(store, certificate_of(name)));
    return store;
}

static void add_authority(SSL_CTX *ctx, const char *name)
{
    MUST(SSL_CTX_add_client_CA(ctx, certificate_of(name)));
}

static SSL_CTX *verifying(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_store(ctx, store_of("one"));
    add_authority(ctx, "one");
    add_authority(ctx, "two");
    return ctx;
}

/* One connection, with what is done to the server's end before the handshake. */
static const char *meet(SSL_CTX *server, SSL_SESSION *offered, SSL_SESSION **made, rule set)
{
    SSL_CTX *client = new_client();
    struct connection connection = open_connection(server, client, offered, "a.test");
    if (set)
        set(connection.server);
    return meet_once(&connection, client, made);
}

/* What becomes, at a context, of a session of another one that is configured alike. */
static void say_between(rule set)
{
    static const char *const names[] = {"context's", "own"};
    SSL_CTX *first = verifying(), *second = verifying();
    for (int made = 0; made < 2; made++) {
        for (int asked = 0; asked < 2; asked++) {
            SSL_SESSION *session;
            MUST(strcmp(meet(first, NULL, &session, made ? set : NULL), "full") == 0);
            say("%s, then %s: %s", names[made], names[asked],
                meet(second, session, NULL, asked ? set : NULL));
            SSL_SESSION_free(session);
        }
    }
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

/* --- what a host sets --- */

static void set_store(SSL *ssl)
{
    MUST(SSL_set0_verify_cert_store(ssl, store_of("two")));
}

static void set_flags(SSL *ssl)
{
    MUST(X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_CRL_CHECK));
}

static void set_depth(SSL *ssl)
{
    SSL_set_verify_depth(ssl, 1);
}

static void set_host(SSL *ssl)
{
    MUST(SSL_set1_host(ssl, "a.test"));
}

static void set_purpose(SSL *ssl)
{
    MUST(SSL_set_purpose(ssl, X509_PURPOSE_CRL_SIGN));
}

static void set_trust(SSL *ssl)
{
    MUST(SSL_set_trust(ssl, X509_TRUST_OBJECT_SIGN));
}

static void set_all(SSL *ssl)
{
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    MUST(param && X509_VERIFY_PARAM_set_trust(param, X509_TRUST_OBJECT_SIGN));
    MUST(SSL_set1_param(ssl, param));
    X509_VERIFY_PARAM_free(param);
}

static void set_signatures(SSL *ssl)
{
    char list[] = "ECDSA+SHA384"; /* clang sees the cast that the macro makes */
    MUST(SSL_set1_client_sigalgs_list(ssl, list));
}

static void set_security_level(SSL *ssl)
{
    SSL_set_security_level(ssl, 3);
}

static void set_authorities(SSL *ssl)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    MUST(names &&
         sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(certificate_of("two")))));
    SSL_set_client_CA_list(ssl, names);
}

/* HAProxy gives each connection a copy of what its context has. */
static void copy_authorities(SSL *ssl)
{
    SSL_set_client_CA_list(ssl, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(SSL_get_SSL_CTX(ssl))));
}

#define SETTING(name)             \
    static void with_##name(void) \
    {                             \
        say_between(name);        \
    }

SETTING(set_store)
SETTING(set_flags)
SETTING(set_depth)
SETTING(set_host)
SETTING(set_purpose)
SETTING(set_trust)
SETTING(set_all)
SETTING(set_signatures)
SETTING(set_security_level)
SETTING(set_authorities)
SETTING(copy_authorities)

/* --- copies that were made before --- */

static SSL_CTX *other;

static void switch_to_other(SSL *ssl)
{
    MUST(SSL_set_SSL_CTX(ssl, other));
}

/* The session of a connection that was switched to a context, at that context itself. */
static void say_switched(SSL_CTX *first)
{
    SSL_SESSION *session;
    MUST(strcmp(meet(first, NULL, &session, switch_to_other), "full") == 0);
    say("switched, then itself: %s", meet(other, session, NULL, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(first);
    SSL_CTX_free(other);
}

static void switched(void)
{
    other = verifying();
    MUST(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(other), X509_V_FLAG_CRL_CHECK));
    say_switched(verifying());
}

static void switched_in_trust(void)
{
    other = verifying();
    MUST(SSL_CTX_set_trust(other, X509_TRUST_OBJECT_SIGN));
    say_switched(verifying());
}

static void switched_to_same(void)
{
    SSL_CTX *first = verifying();
    other = verifying();
    MUST(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(first), X509_V_FLAG_CRL_CHECK));
    MUST(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(other), X509_V_FLAG_CRL_CHECK));
    say_switched(first);
}

static void (*change)(SSL_CTX *);

static void change_context(SSL *ssl)
{
    change(SSL_get_SSL_CTX(ssl));
}

/* A context that is changed between an SSL's making and its handshake. */
static void say_changed(void (*set)(SSL_CTX *))
{
    SSL_CTX *ctx = verifying();
    SSL_SESSION *session;
    change = set;
    MUST(strcmp(meet(ctx, NULL, &session, change_context), "full") == 0);
    say("before, then after: %s", meet(ctx, session, NULL, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void tighten_store(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set0_verify_cert_store(ctx, store_of("two")));
}

static void tighten_flags(SSL_CTX *ctx)
{
    MUST(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_CRL_CHECK));
}

static void tighten_trust(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set_trust(ctx, X509_TRUST_OBJECT_SIGN));
}

static void changed_store(void)
{
    say_changed(tighten_store);
}

static void changed_flags(void)
{
    say_changed(tighten_flags);
}

static void changed_trust(void)
{
    say_changed(tighten_trust);
}

/* --- without a certificate --- */

static unsigned know_all(SSL *ssl, const char *identity, unsigned char *key, unsigned size)
{
    (void)ssl, (void)identity;
    MUST(size >= 16);
    memset(key, 1, 16);
    return 16;
}

static unsigned know_nobody(SSL *ssl, const char *identity, unsigned char *key, unsigned size)
{
    (void)ssl, (void)identity, (void)key, (void)size;
    return 0;
}

static unsigned be_somebody(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
                            unsigned char *key, unsigned size)
{
    (void)hint;
    MUST(identity_size >= 2);
    memcpy(identity, "a", 2);
    return know_all(ssl, identity, key, size);
}

static SSL_CTX *with_keys(SSL_psk_server_cb_func find)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    MUST(ctx && SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION));
    MUST(SSL_CTX_set_cipher_list(ctx, "PSK-AES128-GCM-SHA256"));
    SSL_CTX_set_psk_server_callback(ctx, find);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

static const char *meet_with_key(SSL_CTX *server, SSL_SESSION *offered, SSL_SESSION **made)
{
    SSL_CTX *client = new_client();
    MUST(SSL_CTX_set_cipher_list(client, "PSK-AES128-GCM-SHA256"));
    SSL_CTX_set_psk_client_callback(client, be_somebody);
    struct connection connection = open_connection(server, client, offered, "a.test");
    return meet_once(&connection, client, made);
}

/* Two servers that know their clients by a secret; the second has forgotten it. */
static void shared_secret(void)
{
    SSL_CTX *first = with_keys(know_all), *second = with_keys(know_nobody);
    SSL_SESSION *session;
    MUST(strcmp(meet_with_key(first, NULL, &session), "full") == 0);
    say("at the second: %s", meet_with_key(second, session, NULL));
    say("at the first: %s", meet_with_key(first, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

/* A client is asked for a certificate after the handshake, as httpd does in a Location. */
static void asked_later(void)
{
    SSL_CTX *server = new_server(), *client = new_client();
    SSL_CTX_set_post_handshake_auth(client, 1);
    struct connection connection = open_connection(server, client, NULL, "a.test");
    MUST(shake_hands(&connection));
    SSL_set_verify(connection.server, SSL_VERIFY_PEER, NULL);
    MUST(SSL_verify_client_post_handshake(connection.server));
    MUST(SSL_do_handshake(connection.server) == 1);
    drain(&connection);
    drain(&connection); /* the tickets that follow */
    SSL_SESSION *session = client_session(&connection);
    close_connection(&connection, CLEAN);
    say("asked later: %s", meet(server, session, NULL, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {
    {"asked-later", asked_later},
    {"shared-secret", shared_secret},
    {"store", with_set_store},
    {"flags", with_set_flags},
    {"depth", with_set_depth},
    {"host", with_set_host},
    {"purpose", with_set_purpose},
    {"trust", with_set_trust},
    {"parameters", with_set_all},
    {"signatures", with_set_signatures},
    {"security-level", with_set_security_level},
    {"authorities", with_set_authorities},
    {"same-authorities", with_copy_authorities},
    {"switched", switched},
    {"switched-in-trust", switched_in_trust},
    {"switched-to-same", switched_to_same},
    {"changed-store", changed_store},
    {"changed-flags", changed_flags},
    {"changed-trust", changed_trust},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
