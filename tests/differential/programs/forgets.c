/*
 * forgets.c - two callbacks for the keys of tickets, of which one may be mod_ssl's: this file is
 * compiled as a library of that name too. Both answer that no other ticket is to be sent.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "../../c/lib/tls.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

typedef int (*old_cb)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, HMAC_CTX *, int);
typedef int (*evp_cb)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, EVP_MAC_CTX *,
                      int);

static unsigned char key[32] = "the host's own, of thirty-two by";

static int answer(unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, int seal)
{
    if (seal) {
        memset(name, 'n', 16);
        MUST(RAND_bytes(iv, 16) == 1);
    }
    MUST(EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key, iv, seal) == 1);
    return 1;
}

int on_old(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, HMAC_CTX *hmac,
           int seal);
int on_evp(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
           EVP_MAC_CTX *mac, int seal);

int on_old(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, HMAC_CTX *hmac,
           int seal)
{
    MUST(ssl && HMAC_Init_ex(hmac, key, sizeof key, EVP_sha256(), NULL) == 1);
    return answer(name, iv, cipher, seal);
}

int on_evp(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
           EVP_MAC_CTX *mac, int seal)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof key),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    MUST(ssl && EVP_MAC_CTX_set_params(mac, parameters) == 1);
    return answer(name, iv, cipher, seal);
}

static int tickets; /* that the client has been given */

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    MUST(ssl && session);
    tickets++;
    return 0;
}

/* Whether a ticket that is used is followed by another. */
static void come(SSL_CTX *server, const char *what)
{
    SSL_CTX *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, on_ticket);
    MUST(strcmp(visit(server, client, &session, NULL), "full") == 0);
    tickets = 0;
    MUST(strcmp(visit(server, client, &session, NULL), "resumed") == 0);
    say("%s: %s", what, tickets ? "followed" : "the last one");
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
}

static void two(old_cb old, evp_cb evp, bool in_use)
{
    for (int evp_last = 0; evp_last < 2; evp_last++) {
        SSL_CTX *server = new_server();
        SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
        if (in_use) /* without a callback each is followed */
            come(server, "  in use");
        if (evp_last)
            SSL_CTX_set_tlsext_ticket_key_cb(server, old);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(server, evp);
        if (!evp_last)
            SSL_CTX_set_tlsext_ticket_key_cb(server, old);
        come(server, evp_last ? "  that of 3.0 set last" : "  that of 3.0 set first");
        SSL_CTX_set_tlsext_ticket_key_evp_cb(server, NULL);
        come(server, "  without that of 3.0");
        SSL_CTX_free(server);
    }
}

int main(int argc, char **argv)
{
    MUST(argc == 2);
    void *library = dlopen(argv[1], RTLD_NOW), *found;
    old_cb old;
    evp_cb evp;
    MUST(library && (found = dlsym(library, "on_old")));
    memcpy(&old, &found, sizeof old);
    MUST((found = dlsym(library, "on_evp")));
    memcpy(&evp, &found, sizeof evp);
    tls_version = TLS1_3_VERSION;
    for (int in_use = 0; in_use < 2; in_use++) {
        say("mod_ssl has that of 3.0");
        two(on_old, evp, in_use);
        say("mod_ssl has the other");
        two(old, on_evp, in_use);
    }
    return 0;
}
