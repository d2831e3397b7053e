/* verification.c - how a context verifies clients, in what is cheap to compare. */
#define _GNU_SOURCE
#include "verification.h"

#include <stdatomic.h>
#include <string.h>

#include "digest.h"
#include "hidden.h"
#include "libssl.h"

/* The hosts, an empty name, then the email and the address, each of which may be empty. */
static bool digest_names(X509_VERIFY_PARAM *param, const char *email, const char *address,
                         unsigned char *out)
{
    struct gosess_digest digest;
    const char *host;
    gosess_digest_begin(&digest);
    for (int i = 0; (host = gosess_ssl->X509_VERIFY_PARAM_get0_host(param, i)); i++)
        gosess_digest_add_text(&digest, host);
    gosess_digest_add_text(&digest, NULL);
    gosess_digest_add_text(&digest, email);
    gosess_digest_add_text(&digest, address);
    return gosess_digest_end(&digest, out);
}

/* The names that a client's certificate must have. 1.1.1 has no getters of them. */
static bool read_names(X509_VERIFY_PARAM *param, unsigned char *out)
{
    if (!gosess_ssl->X509_VERIFY_PARAM_get0_host || !gosess_ssl->X509_VERIFY_PARAM_get0_email ||
        !gosess_ssl->X509_VERIFY_PARAM_get1_ip_asc)
        return true;
    const char *email = gosess_ssl->X509_VERIFY_PARAM_get0_email(param);
    char *address = gosess_ssl->X509_VERIFY_PARAM_get1_ip_asc(param);
    bool any = email || address || gosess_ssl->X509_VERIFY_PARAM_get0_host(param, 0);
    bool ok = !any || digest_names(param, email, address, out);
    gosess_ssl->CRYPTO_free(address, __FILE__, __LINE__);
    return ok;
}

bool gosess_read_param(X509_VERIFY_PARAM *param, struct gosess_param *out)
{
    out->flags = gosess_ssl->X509_VERIFY_PARAM_get_flags(param);
    out->inherit_flags = gosess_ssl->X509_VERIFY_PARAM_get_inh_flags(param);
    out->depth = (uint64_t)gosess_ssl->X509_VERIFY_PARAM_get_depth(param);
    out->auth_level = (uint64_t)gosess_ssl->X509_VERIFY_PARAM_get_auth_level(param);
    out->host_flags = gosess_ssl->X509_VERIFY_PARAM_get_hostflags(param);
    if (gosess_ssl->X509_VERIFY_PARAM_get_purpose)
        out->purpose = (uint64_t)gosess_ssl->X509_VERIFY_PARAM_get_purpose(param);
    return read_names(param, out->names);
}

/* The one that libssl verifies with: ssl_verify_cert_chain. Before 3.0.2 and 1.1.1n it cannot say.
 */
static X509_STORE *verifying_store(SSL_CTX *ctx, const struct gosess_observed *observed)
{
    X509_STORE *store = atomic_load(&observed->store);
    gosess_ssl->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_VERIFY_CERT_STORE, 0, &store);
    return store ? store : gosess_ssl->SSL_CTX_get_cert_store(ctx);
}

/* What libcrypto does by itself is NULL in a store. */
static void read_functions(X509_STORE *store, uint64_t functions[GOSESS_STORE_FUNCTIONS])
{
    const uint64_t found[GOSESS_STORE_FUNCTIONS] = {
        (uintptr_t)gosess_ssl->X509_STORE_get_verify(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_get_issuer(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_check_issued(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_check_revocation(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_get_crl(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_check_crl(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_cert_crl(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_check_policy(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_lookup_certs(store),
        (uintptr_t)gosess_ssl->X509_STORE_get_lookup_crls(store),
    };
    memcpy(functions, found, sizeof found);
}

static bool read_store(X509_STORE *store, struct gosess_verification *verification)
{
    verification->store = (uintptr_t)store;
    if (!store)
        return true;
    if (gosess_hides(store))
        return false;
    read_functions(store, verification->store_functions);
    verification->changes = gosess_store_changes();
    verification->trusted = (uint64_t)gosess_ssl->OPENSSL_sk_num(
        (const OPENSSL_STACK *)gosess_ssl->X509_STORE_get0_objects(store));
    verification->store_callback = (uintptr_t)gosess_ssl->X509_STORE_get_verify_cb(store);
    return gosess_read_param(gosess_ssl->X509_STORE_get0_param(store), &verification->store_param);
}

X509_STORE *gosess_revocation_store(SSL_CTX *ctx, const struct gosess_observed *observed)
{
    X509_STORE *store = verifying_store(ctx, observed);
    if (!store)
        return NULL;
    unsigned long flags =
        gosess_ssl->X509_VERIFY_PARAM_get_flags(gosess_ssl->SSL_CTX_get0_param(ctx)) |
        gosess_ssl->X509_VERIFY_PARAM_get_flags(gosess_ssl->X509_STORE_get0_param(store));
    return flags & X509_V_FLAG_CRL_CHECK ? store : NULL;
}

/* The policies that a certificate must be issued under have no getter, but flags. */
static bool has_policies(const struct gosess_verification *verification)
{
    return (verification->param.flags | verification->store_param.flags) & X509_V_FLAG_POLICY_MASK;
}

static bool hides(const struct gosess_observed *observed)
{
    return atomic_load(&observed->copied) ||
           (atomic_load(&observed->names) && !gosess_ssl->X509_VERIFY_PARAM_get0_host);
}

static bool read_verification(SSL_CTX *ctx, const struct gosess_observed *observed,
                              struct gosess_verification *verification)
{
    const OPENSSL_STACK *names = (const OPENSSL_STACK *)gosess_ssl->SSL_CTX_get_client_CA_list(ctx);
    verification->lists = atomic_load(&observed->lists);
    verification->name_count = names ? (uint64_t)gosess_ssl->OPENSSL_sk_num(names) : 0;
    verification->callback = (uintptr_t)gosess_ssl->SSL_CTX_get_verify_callback(ctx);
    verification->verifier = atomic_load(&observed->verifier);
    if (atomic_load(&observed->argument))
        verification->argument = atomic_load(&observed->verifiers);
    bool ok = gosess_read_param(gosess_ssl->SSL_CTX_get0_param(ctx), &verification->param);
    if (!gosess_ssl->X509_VERIFY_PARAM_get_purpose)
        verification->param.purpose = (uint64_t)atomic_load(&observed->purpose);
    verification->param.trust = (uint64_t)atomic_load(&observed->trust);
    verification->signatures = atomic_load(&observed->signatures);
    verification->client_signatures = atomic_load(&observed->client_signatures);
    verification->client_types = atomic_load(&observed->client_types);
    return ok && !hides(observed) && read_store(verifying_store(ctx, observed), verification) &&
           !has_policies(verification);
}

/* A host's, which may be asked about a client's certificate, and about all else that it offers. */
static uint64_t security_callback(const SSL_CTX *ctx)
{
    void *callback;
    __typeof__(gosess_ssl->SSL_CTX_get_security_callback(ctx)) function =
        gosess_ssl->SSL_CTX_get_security_callback(ctx);
    memcpy(&callback, &function, sizeof callback);
    return gosess_is_libssl(callback) ? 0 : (uintptr_t)callback;
}

bool gosess_read_verification(SSL_CTX *ctx, const struct gosess_observed *observed,
                              struct gosess_verification *verification)
{
    memset(verification, 0, sizeof(*verification));
    verification->mode = (uint64_t)gosess_ssl->SSL_CTX_get_verify_mode(ctx);
    verification->security_level = (uint64_t)gosess_ssl->SSL_CTX_get_security_level(ctx);
    verification->security_callback = security_callback(ctx);
    if (verification->mode == SSL_VERIFY_NONE)
        return true;
    gosess_ssl->ERR_set_mark(); /* a missing address is an error to libcrypto */
    bool ok = read_verification(ctx, observed, verification);
    gosess_ssl->ERR_pop_to_mark();
    return ok;
}

/* --- what has no getter --- */

/* The configuration is no adversary, so a sum says whether it is the same. Without libssl. */
static uint64_t number_of(int command, const void *list, size_t length)
{
    uint64_t sum = gosess_fnv(GOSESS_FNV_START, &command, sizeof command);
    return gosess_fnv(sum, list, list ? length : 0) | 1;
}

/* The one group of a key: SSL_CTX_set_tmp_ecdh(3). */
static uint64_t number_of_curve(const EC_KEY *key)
{
    const struct gosess_libssl *table = gosess_ssl;
    if (!table || !table->EC_KEY_get0_group || !table->EC_GROUP_get_curve_name)
        return number_of(SSL_CTRL_SET_TMP_ECDH, &key, sizeof key); /* no other one is as this */
    int name = table->EC_GROUP_get_curve_name(table->EC_KEY_get0_group(key));
    return number_of(SSL_CTRL_SET_TMP_ECDH, &name, sizeof name);
}

/* Lists of what clients may sign with come as text or as pairs of numbers. */
bool gosess_observe_setting(struct gosess_observed *observed, int command, long number, void *value)
{
    size_t count = number > 0 ? (size_t)number : 0;
    switch (command) {
    case SSL_CTRL_SET_VERIFY_CERT_STORE:
        atomic_store(&observed->store, value);
        break;
    case SSL_CTRL_SET_SIGALGS:
        atomic_store(&observed->signatures, number_of(command, value, count * sizeof(int)));
        break;
    case SSL_CTRL_SET_SIGALGS_LIST:
        atomic_store(&observed->signatures, number_of(command, value, strlen(value)));
        break;
    case SSL_CTRL_SET_CLIENT_SIGALGS:
        atomic_store(&observed->client_signatures, number_of(command, value, count * sizeof(int)));
        break;
    case SSL_CTRL_SET_CLIENT_SIGALGS_LIST:
        atomic_store(&observed->client_signatures, number_of(command, value, strlen(value)));
        break;
    case SSL_CTRL_SET_CLIENT_CERT_TYPES:
        atomic_store(&observed->client_types, number_of(command, value, count));
        break;
    case SSL_CTRL_SET_GROUPS:
        atomic_store(&observed->groups, number_of(command, value, count * sizeof(int)));
        break;
    case SSL_CTRL_SET_GROUPS_LIST:
        atomic_store(&observed->groups, number_of(command, value, strlen(value)));
        break;
    case SSL_CTRL_SET_TMP_ECDH:
        atomic_store(&observed->groups, number_of_curve(value));
        break;
    default:
        return false;
    }
    return true;
}

void gosess_observe_settings(struct gosess_observed *observed, const struct gosess_observed *born)
{
    atomic_store(&observed->store, atomic_load(&born->store));
    atomic_store(&observed->signatures, atomic_load(&born->signatures));
    atomic_store(&observed->client_signatures, atomic_load(&born->client_signatures));
    atomic_store(&observed->client_types, atomic_load(&born->client_types));
    atomic_store(&observed->groups, atomic_load(&born->groups));
}
