/*
 * verification.c - contexts that differ in one setting of how they verify clients. Each scenario
 * says what becomes of a session of a context without the setting at one with it; between two with
 * it; and at its own context, when that is set so later.
 */
#define _GNU_SOURCE
#include "../lib/tls.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/x509v3.h>

static X509_STORE *store_of(const char *name)
{
    X509_STORE *store = X509_STORE_new();
    MUST(store && X509_STORE_add_cert(store, certificate_of(name)));
    return store;
}

static SSL_CTX *verifying(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_store(ctx, store_of("one"));
    return ctx;
}

static void say_at(const char *what, SSL_CTX *first, SSL_CTX *second)
{
    SSL_SESSION *session;
    MUST(strcmp(full(first, &session, NULL), "full") == 0);
    say("%s: %s", what, again(second, session, NULL));
    say("owner: %s", again(first, session, NULL));
    SSL_SESSION_free(session);
}

static void say_shared(SSL_CTX *(*make)(void), void (*set)(SSL_CTX *))
{
    SSL_CTX *without = make(), *first = make(), *second = make();
    SSL_SESSION *session;
    set(first);
    set(second);
    say_at("differs", without, first);
    say_at("same", first, second);
    full(without, &session, NULL);
    set(without);
    say("set later: %s", again(without, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(without);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

/* --- the settings --- */

static void set_store(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set0_verify_cert_store(ctx, store_of("two")));
}

static void set_store_depth(SSL_CTX *ctx)
{
    X509_STORE_set_depth(SSL_CTX_get_cert_store(ctx), 1);
}

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

static void set_host(SSL_CTX *ctx)
{
    MUST(X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(ctx), "a.test", 0));
}

static void set_second_host(SSL_CTX *ctx)
{
    MUST(X509_VERIFY_PARAM_add1_host(SSL_CTX_get0_param(ctx), "b.test", 0));
}

static SSL_CTX *verifying_host(void)
{
    SSL_CTX *ctx = verifying();
    set_host(ctx);
    return ctx;
}

static void set_email(SSL_CTX *ctx)
{
    MUST(X509_VERIFY_PARAM_set1_email(SSL_CTX_get0_param(ctx), "a@a.test", 0));
}

static void set_address(SSL_CTX *ctx)
{
    MUST(X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(ctx), "192.0.2.1"));
}

static void set_host_flags(SSL_CTX *ctx)
{
    X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(ctx), X509_CHECK_FLAG_NO_WILDCARDS);
}

static void set_inherit_flags(SSL_CTX *ctx)
{
    X509_VERIFY_PARAM_set_inh_flags(SSL_CTX_get0_param(ctx), X509_VP_FLAG_LOCKED);
}

static void set_auth_level(SSL_CTX *ctx)
{
    X509_VERIFY_PARAM_set_auth_level(SSL_CTX_get0_param(ctx), 3);
}

static void set_purpose(SSL_CTX *ctx)
{
    MUST(X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(ctx), X509_PURPOSE_CRL_SIGN));
}

static void set_purpose_of_context(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set_purpose(ctx, X509_PURPOSE_CRL_SIGN));
}

static void set_trust(SSL_CTX *ctx)
{
    MUST(X509_VERIFY_PARAM_set_trust(SSL_CTX_get0_param(ctx), X509_TRUST_OBJECT_SIGN));
}

static void set_trust_of_context(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set_trust(ctx, X509_TRUST_OBJECT_SIGN));
}

static void set_security_level(SSL_CTX *ctx)
{
    SSL_CTX_set_security_level(ctx, 3);
}

#define SETTING(name, make)           \
    static void with_##name(void)     \
    {                                 \
        say_shared(make, set_##name); \
    }

SETTING(store, verifying)
SETTING(store_depth, verifying)
SETTING(store_callback, verifying)
SETTING(callback, verifying)
SETTING(verifier, verifying)
SETTING(host, verifying)
SETTING(second_host, verifying_host)
SETTING(email, verifying)
SETTING(address, verifying)
SETTING(host_flags, verifying)
SETTING(inherit_flags, verifying)
SETTING(auth_level, verifying)
SETTING(purpose, verifying)
SETTING(purpose_of_context, verifying)
SETTING(trust, verifying)
SETTING(trust_of_context, verifying)
SETTING(security_level, new_server)

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

/*
 * A host that makes a context while it holds the lock of the store that the other one's clients are
 * verified with. It waits until the thread that makes an SSL is asleep, which is for that lock.
 */
static _Atomic int sleeper;

static void *make_ssl(void *ctx)
{
    sleeper = gettid();
    SSL_free(SSL_new(ctx));
    sleeper = 0;
    return NULL;
}

static bool sleeps(int thread)
{
    char path[64], state = ' ';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    FILE *file = fopen(path, "r");
    bool read = file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
    if (file)
        fclose(file);
    return read && state == 'S';
}

static void locked_store(void)
{
    SSL_CTX *ctx = verifying();
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    pthread_t thread;
    alarm(20);
    MUST(X509_STORE_lock(store));
    MUST(pthread_create(&thread, NULL, make_ssl, ctx) == 0);
    while (!sleeper || !sleeps(sleeper))
        sched_yield();
    SSL_CTX_free(new_server());
    MUST(X509_STORE_unlock(store));
    pthread_join(thread, NULL);
    say("made");
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"store", with_store},
    {"store-depth", with_store_depth},
    {"store-callback", with_store_callback},
    {"callback", with_callback},
    {"verifier", with_verifier},
    {"host-flags", with_host_flags},
    {"inherit-flags", with_inherit_flags},
    {"auth-level", with_auth_level},
    {"purpose", with_purpose},
    {"purpose-of-context", with_purpose_of_context},
    {"trust", with_trust},
    {"trust-of-context", with_trust_of_context},
    {"security-level", with_security_level},
    {"other-callback", other_callback},
    {"closure", closure},
    {"argument", argument},
    {"by-connection", by_connection},
    {"argument-again", argument_again},
    {"locked-store", locked_store},
    /* Those that 1.1.1 has no getters of. */
    {"host", with_host},
    {"second-host", with_second_host},
    {"email", with_email},
    {"address", with_address},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
