/* certificate.c - certificates that live as long as the process. */
#include "tls.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define NAMES_MAX 16

static struct {
    char name[64];
    EVP_PKEY *key;
    X509 *certificate;
} made[NAMES_MAX];

static X509 *new_certificate(EVP_PKEY *key, const char *name)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    MUST(certificate && X509_set_version(certificate, 2));
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    MUST(X509_set_pubkey(certificate, key));
    MUST(X509_sign(certificate, key, EVP_sha256()));
    return certificate;
}

/* EVP_EC_gen is not in 1.1.1. */
static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    MUST(ctx && EVP_PKEY_keygen_init(ctx) == 1);
    MUST(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1);
    MUST(EVP_PKEY_keygen(ctx, &key) == 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static size_t find(const char *name)
{
    size_t i = 0;
    while (made[i].key && strcmp(made[i].name, name) != 0)
        i++;
    MUST(i < NAMES_MAX - 1 && strlen(name) < sizeof made[i].name);
    if (!made[i].key) {
        strcpy(made[i].name, name);
        made[i].key = new_key();
        made[i].certificate = new_certificate(made[i].key, name);
    }
    return i;
}

X509 *certificate_of(const char *name)
{
    return made[find(name)].certificate;
}

void use_certificate(SSL_CTX *ctx, const char *name)
{
    size_t i = find(name);
    MUST(SSL_CTX_use_certificate(ctx, made[i].certificate) == 1);
    MUST(SSL_CTX_use_PrivateKey(ctx, made[i].key) == 1);
}
