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

EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    MUST(key);
    return key;
}

X509 *new_certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    MUST(certificate && X509_set_version(certificate, 2));
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    MUST(X509_set_pubkey(certificate, key));
    MUST(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()));
    return certificate;
}

void use_certificate(SSL_CTX *ctx, const char *name)
{
    size_t i = 0;
    while (made[i].key && strcmp(made[i].name, name) != 0)
        i++;
    MUST(i < NAMES_MAX - 1 && strlen(name) < sizeof made[i].name);
    if (!made[i].key) {
        strcpy(made[i].name, name);
        made[i].key = new_key();
        made[i].certificate = new_certificate(made[i].key, name, NULL, NULL);
    }
    MUST(SSL_CTX_use_certificate(ctx, made[i].certificate) == 1);
    MUST(SSL_CTX_use_PrivateKey(ctx, made[i].key) == 1);
}
