/*
 * verification.c - contexts that differ in one setting of how they verify clients. Each scenario
 * says what becomes of a session of a context without the setting at one with it; between two with
 * it; and at its own context, when that is set so later.
 */
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED /* keys of groups are, in 3.0 */
#include "../lib/verifying.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/x509v3.h>

/* --- the settings --- */

static void set_store(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set0_verify_cert_store(ctx, store_of("two")));
}

static void set_store_depth(SSL_CTX *ctx)
{
    X509_STORE_set_depth(SSL_CTX_get_cert_store(ctx), 1);
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

static void set_client_signatures(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set1_client_sigalgs_list(ctx, (char *)(uintptr_t) "ECDSA+SHA384"));
}

static void set_signatures(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set1_sigalgs_list(ctx, (char *)(uintptr_t) "ECDSA+SHA256"));
}

/* The same as nginx's ssl_conf_command sets it. */
static void set_conf_client_signatures(SSL_CTX *ctx)
{
    SSL_CONF_CTX *configuration = SSL_CONF_CTX_new();
    MUST(configuration);
    SSL_CONF_CTX_set_flags(configuration, SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_FILE);
    SSL_CONF_CTX_set_ssl_ctx(configuration, ctx);
    MUST(SSL_CONF_cmd(configuration, "ClientSignatureAlgorithms", "ECDSA+SHA384") == 2);
    SSL_CONF_CTX_free(configuration);
}

static void set_client_types(SSL_CTX *ctx)
{
    unsigned char types[] = {TLS_CT_ECDSA_SIGN};
    MUST(SSL_CTX_set1_client_certificate_types(ctx, types, sizeof types));
}

static void set_groups(SSL_CTX *ctx)
{
    MUST(SSL_CTX_set1_groups_list(ctx, (char *)(uintptr_t) "P-256:X25519"));
}

static void set_group_of_key(SSL_CTX *ctx)
{
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    MUST(key && SSL_CTX_set_tmp_ecdh(ctx, key) == 1);
    EC_KEY_free(key);
}

static void set_certificate_flags(SSL_CTX *ctx)
{
    SSL_CTX_set_cert_flags(ctx, SSL_CERT_FLAG_TLS_STRICT);
}

static void set_certificate_list(SSL_CTX *ctx)
{
    SSL_CTX_set_max_cert_list(ctx, 20000);
}

static void set_compression(SSL_CTX *ctx)
{
    SSL_CTX_clear_options(ctx, SSL_OP_NO_COMPRESSION);
}

SETTING(store, verifying)
SETTING(store_depth, verifying)
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

SETTING(client_signatures, verifying)
SETTING(signatures, verifying)
SETTING(conf_client_signatures, verifying)
SETTING(client_types, verifying)
SETTING(groups, verifying)
SETTING(group_of_key, verifying)
SETTING(certificate_flags, verifying)
SETTING(certificate_list, verifying)
SETTING(compression, new_server)

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
    {"host-flags", with_host_flags},
    {"inherit-flags", with_inherit_flags},
    {"auth-level", with_auth_level},
    {"purpose", with_purpose},
    {"purpose-of-context", with_purpose_of_context},
    {"trust", with_trust},
    {"trust-of-context", with_trust_of_context},
    {"security-level", with_security_level},
    {"client-signatures", with_client_signatures},
    {"signatures", with_signatures},
    {"conf-client-signatures", with_conf_client_signatures},
    {"client-types", with_client_types},
    {"groups", with_groups},
    {"group-of-key", with_group_of_key},
    {"certificate-flags", with_certificate_flags},
    {"certificate-list", with_certificate_list},
    {"compression", with_compression},
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
