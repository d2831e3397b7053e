/* sites.c - servers that a name leads to. */
#include "sites.h"

#include <string.h>

#include <openssl/tls1.h>

const char *const moment_names[2] = {"early", "late"};

static const struct site *list;

static void lead(SSL *ssl, const char *name)
{
    for (const struct site *site = list; name && site->name; site++) {
        if (strcmp(name, site->name) != 0)
            continue;
        MUST(SSL_set_SSL_CTX(ssl, site->ctx));
        SSL_set_verify(ssl, SSL_CTX_get_verify_mode(site->ctx),
                       SSL_CTX_get_verify_callback(site->ctx));
    }
}

/* RFC 6066, section 3: the length of the list, a type, the length of the name, and the name. */
static const char *name_in_hello(SSL *ssl, char *buffer, size_t size)
{
    const unsigned char *body;
    size_t length;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &body, &length) != 1 ||
        length <= 5 || length - 5 >= size)
        return NULL;
    memcpy(buffer, body + 5, length - 5);
    buffer[length - 5] = '\0';
    return buffer;
}

static int by_hello(SSL *ssl, int *alert, void *unused)
{
    char name[64];
    (void)alert, (void)unused;
    lead(ssl, name_in_hello(ssl, name, sizeof name));
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int by_name(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    lead(ssl, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    return SSL_TLSEXT_ERR_OK;
}

void use_sites(SSL_CTX *first, enum moment moment, const struct site *sites)
{
    list = sites;
    if (moment == EARLY)
        SSL_CTX_set_client_hello_cb(first, by_hello, NULL);
    else
        SSL_CTX_set_tlsext_servername_callback(first, by_name);
}

void demand(SSL_CTX *ctx, const char *client)
{
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate_of(client));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}
