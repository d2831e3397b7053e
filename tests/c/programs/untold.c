/*
 * untold.c - contexts that verify clients by what no other process can know: functions of the
 * program, and what will be found when it is looked for. The scenarios are as those of
 * verification.c.
 */
#define _GNU_SOURCE
#include "../lib/verifying.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* --- functions --- */

static int accept_all(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static int refuse_all(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 0;
}

static void set_store_callback(SSL_CTX *ctx)
{
    X509_STORE_set_verify_cb(SSL_CTX_get_cert_store(ctx), refuse_all);
}

static void set_callback(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, refuse_all);
}

static int verifier(X509_STORE_CTX *store, void *argument)
{
    (void)store, (void)argument;
    return 0;
}

static void set_verifier(SSL_CTX *ctx)
{
    SSL_CTX_set_cert_verify_callback(ctx, verifier, NULL);
}

/* --- those that only this context can have --- */

static int refuse_revoked(X509_STORE_CTX *store)
{
    (void)store;
    return 0;
}

static void set_store_function(SSL_CTX *ctx)
{
    X509_STORE_set_check_revocation(SSL_CTX_get_cert_store(ctx), refuse_revoked);
}

static int allow(const SSL *ssl, const SSL_CTX *ctx, int operation, int bits, int nid, void *other,
                 void *data)
{
    (void)ssl, (void)ctx, (void)operation, (void)bits, (void)nid, (void)other, (void)data;
    return 1;
}

static void set_security_callback(SSL_CTX *ctx)
{
    SSL_CTX_set_security_callback(ctx, allow);
}

/* --- those of which nobody can say what they will be at the next handshake --- */

static void set_folder(SSL_CTX *ctx)
{
    MUST(SSL_CTX_load_verify_locations(ctx, NULL, "/nowhere"));
}

static void set_default_paths(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set_default_verify_paths(ctx));
}

static void set_default_folder(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set_default_verify_dir(ctx));
}

static void set_lookup(SSL_CTX *ctx)
{
    MUST(X509_STORE_add_lookup(SSL_CTX_get_cert_store(ctx), X509_LOOKUP_hash_dir()));
}

static void set_uri(SSL_CTX *ctx)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    MUST(SSL_CTX_load_verify_store(ctx, "file:/"));
#else
    set_folder(ctx);
#endif
}

static void set_policies(SSL_CTX *ctx)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    MUST(X509_VERIFY_PARAM_add0_policy(param, OBJ_txt2obj("1.2.3.4", 1)));
    MUST(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_POLICY_CHECK));
}

static void set_copied_param(SSL_CTX *ctx)
{
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    MUST(param && X509_VERIFY_PARAM_set_trust(param, X509_TRUST_OBJECT_SIGN));
    MUST(SSL_CTX_set1_param(ctx, param));
    X509_VERIFY_PARAM_free(param);
}

static void set_store_trust(SSL_CTX *ctx)
{
    MUST(X509_STORE_set_trust(SSL_CTX_get_cert_store(ctx), X509_TRUST_OBJECT_SIGN));
}

SETTING(store_callback, verifying)
SETTING(callback, verifying)
SETTING(verifier, verifying)
SETTING(store_function, verifying)
SETTING(security_callback, new_server)
SETTING(folder, verifying)
SETTING(default_paths, verifying)
SETTING(default_folder, verifying)
SETTING(lookup, verifying)
SETTING(uri, verifying)
SETTING(policies, verifying)
SETTING(copied_param, verifying)
SETTING(store_trust, verifying)

/* Who verifies nobody does not look into a folder either. */
static void folder_unused(void)
{
    SSL_CTX *ctx[] = {new_server(), new_server()};
    set_folder(ctx[0]);
    set_folder(ctx[1]);
    say_at("same", ctx[0], ctx[1]);
    SSL_CTX_free(ctx[0]);
    SSL_CTX_free(ctx[1]);
}

/* A lookup in a file is over when the file has been read; and a store's place in memory is free. */
static void file_lookup(void)
{
    SSL_CTX *ctx[] = {verifying(), verifying()};
    for (int i = 0; i < 2; i++) {
        X509_STORE *gone = X509_STORE_new();
        MUST(gone && X509_STORE_add_lookup(gone, X509_LOOKUP_hash_dir()));
        X509_STORE_free(gone);
        SSL_CTX_set_cert_store(ctx[i], store_of("one"));
        MUST(X509_STORE_add_lookup(SSL_CTX_get_cert_store(ctx[i]), X509_LOOKUP_file()));
    }
    say_at("same", ctx[0], ctx[1]);
    SSL_CTX_free(ctx[0]);
    SSL_CTX_free(ctx[1]);
}

/* One more authority, and so one revocation list more, in a store that is in use. */
static void added_in_use(void)
{
    SSL_CTX *ctx = verifying();
    SSL_SESSION *session;
    full(ctx, &session, NULL);
    say("before: %s", again(ctx, session, NULL));
    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate_of("two")));
    say("after: %s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* --- what is no name, or one that means nothing elsewhere --- */

static void other_callback(void)
{
    SSL_CTX *first = verifying(), *second = verifying();
    SSL_CTX_set_verify(first, SSL_VERIFY_PEER, accept_all);
    SSL_CTX_set_verify(second, SSL_VERIFY_PEER, refuse_all);
    say_at("differs", first, second);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

static void say_unshared(SSL_CTX *first, SSL_CTX *second)
{
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 2; i++)
        say("child: %s", visit_child(first, &session, NULL));
    SSL_SESSION_free(session);
    say_at("same", first, second);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

/* Clients show no certificate: what is there is never called. */
static void closure(void)
{
    SSL_CTX *ctx[] = {verifying(), verifying()};
    void *page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(page != MAP_FAILED);
    for (int i = 0; i < 2; i++)
        SSL_CTX_set_verify(ctx[i], SSL_VERIFY_PEER, (SSL_verify_cb)(uintptr_t)page);
    say_unshared(ctx[0], ctx[1]);
    munmap(page, 1);
}

static void argument(void)
{
    static char shared;
    SSL_CTX *first = verifying(), *second = verifying();
    SSL_CTX_set_cert_verify_callback(first, verifier, &shared);
    SSL_CTX_set_cert_verify_callback(second, verifier, &shared);
    say_unshared(first, second);
}

static int verify_this_one(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* Two contexts that verify nobody, and differ in whom their connections trust, which do. */
static void by_connection(void)
{
    SSL_CTX *ctx[] = {verifying(), verifying()};
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx[1]), certificate_of("two"));
    for (int i = 0; i < 2; i++) {
        SSL_CTX_set_verify(ctx[i], SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_client_hello_cb(ctx[i], verify_this_one, NULL);
    }
    say_at("differs", ctx[0], ctx[1]);
    SSL_CTX_free(ctx[0]);
    SSL_CTX_free(ctx[1]);
}

/* Setting what is set already changes nothing; another argument may mean another policy. */
static void argument_again(void)
{
    static char shared, other;
    SSL_CTX *ctx = verifying();
    SSL_SESSION *session;
    SSL_CTX_set_cert_verify_callback(ctx, verifier, &shared);
    full(ctx, &session, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verifier, &shared);
    say("set again: %s", again(ctx, session, NULL));
    SSL_CTX_set_cert_verify_callback(ctx, verifier, &other);
    say("another: %s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"store-callback", with_store_callback},
    {"callback", with_callback},
    {"verifier", with_verifier},
    {"store-function", with_store_function},
    {"security-callback", with_security_callback},
    {"folder", with_folder},
    {"default-paths", with_default_paths},
    {"default-folder", with_default_folder},
    {"lookup", with_lookup},
    {"uri", with_uri},
    {"policies", with_policies},
    {"copied-param", with_copied_param},
    {"store-trust", with_store_trust},
    {"folder-unused", folder_unused},
    {"file-lookup", file_lookup},
    {"added-in-use", added_in_use},
    {"other-callback", other_callback},
    {"closure", closure},
    {"argument", argument},
    {"by-connection", by_connection},
    {"argument-again", argument_again},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
