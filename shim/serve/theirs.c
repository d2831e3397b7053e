/* theirs.c - tickets that are not ours: what libssl would have done without us. */
#define _GNU_SOURCE
#include "theirs.h"

#include <stdatomic.h>
#include <string.h>

#include "../base/locks.h"
#include "../ssl/function.h"
#include "../ssl/libssl.h"
#include "../tickets/name.h"

/* What SSL_CTX_get_tlsext_ticket_keys says, in its order. */
struct own_keys {
    unsigned char name[GOSESS_TICKET_NAME_SIZE];
    unsigned char hmac[GOSESS_TICKET_KEY_SIZE];
    unsigned char aes[GOSESS_TICKET_KEY_SIZE];
};

bool gosess_ticket_has_theirs(const struct gosess_context *context)
{
    const struct gosess_ticket_hosts *tickets = &context->tickets;
    return atomic_load(&tickets->keys) || atomic_load(&tickets->callback) ||
           atomic_load(&tickets->evp);
}

/* By the object that the callback lies in. */
bool gosess_ticket_forgets(uintptr_t callback)
{
    static const char *const hosts[] = {"haproxy", "mod_ssl"};
    return gosess_function_is_of(callback, hosts, sizeof hosts / sizeof *hosts);
}

int gosess_ticket_none(const SSL *ssl)
{
    bool sends_empty = gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION &&
                       gosess_ssl->OpenSSL_version_num() < 0x30000060L; /* 3.0.6 */
    return sends_empty ? GOSESS_TICKET_FATAL : GOSESS_TICKET_REFUSED;
}

int gosess_ticket_nobodys(const SSL *ssl, unsigned char *name, unsigned char *iv,
                          const struct gosess_cipher *to)
{
    unsigned char key[2][GOSESS_TICKET_KEY_SIZE];
    gosess_ssl->ERR_set_mark();
    bool ok = gosess_ssl->RAND_bytes(name, GOSESS_TICKET_NAME_SIZE) == 1 &&
              gosess_ssl->RAND_bytes(iv, GOSESS_TICKET_IV_SIZE) == 1 &&
              gosess_ssl->RAND_bytes(key[0], sizeof key) == 1 &&
              gosess_cipher_set(to, key[0], key[1], iv, true);
    gosess_ssl->ERR_pop_to_mark();
    explicit_bzero(key, sizeof key);
    return ok ? GOSESS_TICKET_USED : gosess_ticket_none(ssl);
}

/*
 * What libssl does with the key that it makes with each context: in TLS 1.3 a ticket that is used
 * is always followed by another (T6).
 */
static int with_own_key(SSL *ssl, SSL_CTX *ctx, unsigned char *name, unsigned char *iv,
                        const struct gosess_cipher *to, bool encrypts)
{
    struct own_keys keys;
    int status = encrypts ? gosess_ticket_none(ssl) : GOSESS_TICKET_REFUSED;
    if (gosess_ssl->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_TLSEXT_TICKET_KEYS, sizeof keys, &keys) != 1)
        return status;
    gosess_ssl->ERR_set_mark();
    if (encrypts) {
        memcpy(name, keys.name, sizeof keys.name);
        if (gosess_ssl->RAND_bytes(iv, GOSESS_TICKET_IV_SIZE) == 1 &&
            gosess_cipher_set(to, keys.aes, keys.hmac, iv, true))
            status = GOSESS_TICKET_USED;
    } else if (memcmp(name, keys.name, sizeof keys.name) == 0 &&
               gosess_cipher_set(to, keys.aes, keys.hmac, iv, false)) {
        status = gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION ? GOSESS_TICKET_RENEWED
                                                                : GOSESS_TICKET_USED;
    }
    gosess_ssl->ERR_pop_to_mark();
    explicit_bzero(&keys, sizeof keys);
    return status;
}

static int ask(struct gosess_context *context, SSL *ssl, unsigned char *name, unsigned char *iv,
               const struct gosess_cipher *to, bool encrypts)
{
    gosess_ticket_cb callback = atomic_load(&context->tickets.callback);
    gosess_ticket_evp_cb evp = atomic_load(&context->tickets.evp);
    if (to->mac && evp)
        return GOSESS_HOST(evp)(ssl, name, iv, to->cipher, to->mac, encrypts);
    if (to->hmac && callback)
        return GOSESS_HOST(callback)(ssl, name, iv, to->cipher, to->hmac, encrypts);
    return with_own_key(ssl, context->ctx, name, iv, to, encrypts);
}

int gosess_ticket_theirs(struct gosess_context *context, SSL *ssl, unsigned char *name,
                         unsigned char *iv, const struct gosess_cipher *to, bool encrypts)
{
    int status = ask(context, ssl, name, iv, to, encrypts);
    bool forgotten = !encrypts && status == GOSESS_TICKET_USED &&
                     atomic_load(&context->tickets.forgets) &&
                     gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION;
    return forgotten ? GOSESS_TICKET_RENEWED : status;
}
