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

static size_t find(const char *name)
{
    size_t i = 0;
    while (made[i].key && strcmp(made[i].name, name) != 0)
        i++;
    MUST(i < NAMES_MAX - 1 && strlen(name) < sizeof made[i].name);
    if (!made[i].key) {
        strcpy(made[i].name, name);
        made[i].key = EVP_EC_gen("P-256");
        MUST(made[i].key);
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
