/* verification.c - how a context verifies clients, in what is cheap to compare. */
#define _GNU_SOURCE
#include "serve.h"

#include <stdatomic.h>
#include <string.h>

static bool add_name(const struct gosess_libssl *libssl, EVP_MD_CTX *digest, const char *name)
{
    return libssl->EVP_DigestUpdate(digest, name ? name : "", name ? strlen(name) + 1 : 1) == 1;
}

/* The hosts, an empty name, then the email and the address, each of which may be empty. */
static bool digest_names(const struct gosess_libssl *libssl, X509_VERIFY_PARAM *param,
                         const char *email, const char *address, unsigned char *out)
{
    EVP_MD_CTX *digest = libssl->EVP_MD_CTX_new();
    const char *host;
    bool ok = digest && libssl->EVP_DigestInit_ex(digest, libssl->EVP_sha256(), NULL) == 1;
    for (int i = 0; ok && (host = libssl->X509_VERIFY_PARAM_get0_host(param, i)); i++)
        ok = add_name(libssl, digest, host);
    ok = ok && add_name(libssl, digest, NULL) && add_name(libssl, digest, email) &&
         add_name(libssl, digest, address) && libssl->EVP_DigestFinal_ex(digest, out, NULL) == 1;
    libssl->EVP_MD_CTX_free(digest);
    return ok;
}

/* The names that a client's certificate must have. 1.1.1 has no getters of them. */
static bool look_at_names(const struct gosess_libssl *libssl, X509_VERIFY_PARAM *param,
                          unsigned char *out)
{
    if (!libssl->X509_VERIFY_PARAM_get0_host || !libssl->X509_VERIFY_PARAM_get0_email ||
        !libssl->X509_VERIFY_PARAM_get1_ip_asc)
        return true;
    const char *email = libssl->X509_VERIFY_PARAM_get0_email(param);
    char *address = libssl->X509_VERIFY_PARAM_get1_ip_asc(param);
    bool any = email || address || libssl->X509_VERIFY_PARAM_get0_host(param, 0);
    bool ok = !any || digest_names(libssl, param, email, address, out);
    libssl->CRYPTO_free(address, __FILE__, __LINE__);
    return ok;
}

static bool look_at_param(const struct gosess_libssl *libssl, X509_VERIFY_PARAM *param,
                          struct gosess_param *seen)
{
    seen->flags = libssl->X509_VERIFY_PARAM_get_flags(param);
    seen->inherit_flags = libssl->X509_VERIFY_PARAM_get_inh_flags(param);
    seen->depth = (uint64_t)libssl->X509_VERIFY_PARAM_get_depth(param);
    seen->auth_level = (uint64_t)libssl->X509_VERIFY_PARAM_get_auth_level(param);
    seen->host_flags = libssl->X509_VERIFY_PARAM_get_hostflags(param);
    if (libssl->X509_VERIFY_PARAM_get_purpose)
        seen->purpose = (uint64_t)libssl->X509_VERIFY_PARAM_get_purpose(param);
    return look_at_names(libssl, param, seen->names);
}

/* The one that libssl verifies with: ssl_verify_cert_chain. Before 3.0.2 and 1.1.1n it cannot say.
 */
static X509_STORE *verifying_store(const struct gosess_libssl *libssl, SSL_CTX *ctx,
                                   const struct gosess_noted *noted)
{
    X509_STORE *store = atomic_load(&noted->store);
    libssl->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_VERIFY_CERT_STORE, 0, &store);
    return store ? store : libssl->SSL_CTX_get_cert_store(ctx);
}

static bool look_at_store(const struct gosess_libssl *libssl, X509_STORE *store,
                          struct gosess_seen *seen)
{
    seen->store = (uintptr_t)store;
    if (!store)
        return true;
    seen->trusted = (uint64_t)libssl->OPENSSL_sk_num(
        (const OPENSSL_STACK *)libssl->X509_STORE_get0_objects(store));
    seen->store_callback = (uintptr_t)libssl->X509_STORE_get_verify_cb(store);
    return look_at_param(libssl, libssl->X509_STORE_get0_param(store), &seen->store_param);
}

static bool look_at_verification(const struct gosess_libssl *libssl, SSL_CTX *ctx,
                                 const struct gosess_noted *noted, struct gosess_seen *seen)
{
    const OPENSSL_STACK *names = (const OPENSSL_STACK *)libssl->SSL_CTX_get_client_CA_list(ctx);
    seen->lists = atomic_load(&noted->lists);
    seen->name_count = names ? (uint64_t)libssl->OPENSSL_sk_num(names) : 0;
    seen->callback = (uintptr_t)libssl->SSL_CTX_get_verify_callback(ctx);
    seen->verifier = atomic_load(&noted->verifier);
    if (atomic_load(&noted->argument))
        seen->argument = atomic_load(&noted->verifiers);
    bool ok = look_at_param(libssl, libssl->SSL_CTX_get0_param(ctx), &seen->param);
    if (!libssl->X509_VERIFY_PARAM_get_purpose)
        seen->param.purpose = (uint64_t)atomic_load(&noted->purpose);
    seen->param.trust = (uint64_t)atomic_load(&noted->trust);
    return ok && look_at_store(libssl, verifying_store(libssl, ctx, noted), seen);
}

bool gosess_look(const struct gosess_libssl *libssl, SSL_CTX *ctx, const struct gosess_noted *noted,
                 struct gosess_seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    seen->certificate = (uintptr_t)libssl->SSL_CTX_get0_certificate(ctx);
    seen->mode = (uint64_t)libssl->SSL_CTX_get_verify_mode(ctx);
    seen->security_level = (uint64_t)libssl->SSL_CTX_get_security_level(ctx);
    if (seen->mode == SSL_VERIFY_NONE)
        return true;
    libssl->ERR_set_mark(); /* a missing address is an error to libcrypto */
    bool ok = look_at_verification(libssl, ctx, noted, seen);
    libssl->ERR_pop_to_mark();
    return ok;
}
