/* keys.c - keys of tickets that a host sets: its callbacks, of both kinds, and what they answer. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "../../c/lib/tls.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

static int seals, opens; /* what the callback answers */
static int asked[2];     /* how often it was asked to open, and to seal */
static unsigned char key[32] = "the host's own, of thirty-two by";

static int answer(unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, int seal)
{
    static const unsigned char id[16] = "the host's key";
    asked[seal]++;
    if (seal) {
        memcpy(name, id, sizeof id);
        MUST(RAND_bytes(iv, 16) == 1);
        MUST(EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key, iv) == 1);
        return seals;
    }
    if (memcmp(name, id, sizeof id) != 0)
        return 0;
    MUST(EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key, iv) == 1);
    return opens;
}

static int on_old(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  HMAC_CTX *hmac, int seal)
{
    MUST(ssl && HMAC_Init_ex(hmac, key, sizeof key, EVP_sha256(), NULL) == 1);
    return answer(name, iv, cipher, seal);
}

static int on_evp(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
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

static SSL_CTX *new_ticket_server(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

static void set_old(SSL_CTX *ctx, int set)
{
    if (set)
        say("set: %ld", SSL_CTX_set_tlsext_ticket_key_cb(ctx, on_old));
    else
        say("reset: %ld", SSL_CTX_set_tlsext_ticket_key_cb(ctx, NULL));
}

static void set_evp(SSL_CTX *ctx, int set)
{
    say("set: %d", SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, set ? on_evp : NULL));
}

/* A connection, and two that offer what it has been given, as they end and as the callback is
 * asked. */
static void come(SSL_CTX *ctx)
{
    SSL_SESSION *session;
    asked[0] = asked[1] = 0;
    const char *first = full(ctx, &session, NULL);
    say("%s, asked to seal %d and to open %d", first, asked[1], asked[0]);
    for (int i = 0; session && i < 2; i++) {
        asked[0] = asked[1] = 0;
        const char *next = again(ctx, session, NULL);
        say("  %s, asked to seal %d and to open %d", next, asked[1], asked[0]);
    }
    SSL_SESSION_free(session);
}

static void answers(void (*set)(SSL_CTX *, int))
{
    for (seals = -1; seals <= 3; seals++)
        for (opens = -1; opens <= 3; opens++) {
            SSL_CTX *ctx = new_ticket_server();
            say("sealing %d, opening %d", seals, opens);
            set(ctx, 1);
            come(ctx);
            SSL_CTX_free(ctx);
        }
}

/* The same of a callback that is set when the context is in use, and is taken back. */
static void later_answers(void (*set)(SSL_CTX *, int))
{
    for (seals = -1; seals <= 3; seals++)
        for (opens = -1; opens <= 3; opens++) {
            SSL_CTX *ctx = new_ticket_server();
            SSL_SESSION *session;
            say("sealing %d, opening %d", seals, opens);
            full(ctx, &session, NULL);
            set(ctx, 1);
            come(ctx);
            set(ctx, 0);
            come(ctx);
            say("the older one: %s", again(ctx, session, NULL));
            SSL_SESSION_free(session);
            SSL_CTX_free(ctx);
        }
}

static void later_answers_old(void)
{
    later_answers(set_old);
}

static void later_answers_evp(void)
{
    later_answers(set_evp);
}

static void answers_old(void)
{
    answers(set_old);
}

static void answers_evp(void)
{
    answers(set_evp);
}

/* Connections before the callback, with it, and when it is taken away again; then with the other
 * kind. */
static void changed(void (*set)(SSL_CTX *, int), void (*set_other)(SSL_CTX *, int))
{
    SSL_CTX *ctx = new_ticket_server();
    seals = 1;
    opens = 2;
    come(ctx);
    set(ctx, 1);
    come(ctx);
    set(ctx, 0);
    come(ctx);
    set(ctx, 1);
    set_other(ctx, 1);
    come(ctx);
    set(ctx, 0);
    come(ctx);
    set_other(ctx, 0);
    come(ctx);
    SSL_CTX_free(ctx);
}

static void old_then_evp(void)
{
    changed(set_old, set_evp);
}

static void evp_then_old(void)
{
    changed(set_evp, set_old);
}

/* A ticket from before the callback, which it does not know, and one of its own that is left to the
 * context. */
static void older_tickets(void (*set)(SSL_CTX *, int))
{
    SSL_SESSION *before, *during;
    SSL_CTX *ctx = new_ticket_server();
    seals = 1;
    opens = 2;
    full(ctx, &before, NULL);
    set(ctx, 1);
    full(ctx, &during, NULL);
    say("during: %s", again(ctx, during, NULL));
    set(ctx, 0);
    say("after: %s", again(ctx, during, NULL));
    say("before, after: %s", again(ctx, before, NULL));
    SSL_SESSION_free(before);
    SSL_SESSION_free(during);
    SSL_CTX_free(ctx);
}

static void older_old(void)
{
    older_tickets(set_old);
}

static void older_evp(void)
{
    older_tickets(set_evp);
}

/* SSL_CTX_get_tlsext_ticket_keys and its setter: two contexts with the same. */
static void own_keys(void)
{
    unsigned char keys[80], read[80];
    SSL_CTX *one = new_ticket_server(), *two = new_ticket_server();
    SSL_SESSION *session;
    say("size %ld", SSL_CTX_get_tlsext_ticket_keys(one, NULL, 0));
    say("get: %ld", SSL_CTX_get_tlsext_ticket_keys(one, keys, sizeof keys));
    say("get too few: %ld", SSL_CTX_get_tlsext_ticket_keys(one, keys, sizeof keys - 1));
    say("set: %ld", SSL_CTX_set_tlsext_ticket_keys(two, keys, sizeof keys));
    say("set too few: %ld", SSL_CTX_set_tlsext_ticket_keys(two, keys, sizeof keys - 1));
    say("get: %ld", SSL_CTX_get_tlsext_ticket_keys(two, read, sizeof read));
    say(memcmp(keys, read, sizeof keys) == 0 ? "the same" : "others");
    SSL_CTX_set_tlsext_ticket_keys(one, keys, sizeof keys);
    full(one, &session, NULL);
    say("at the other: %s", again(two, session, NULL));
    SSL_SESSION_free(session);
    come(one);
    SSL_CTX_free(one);
    SSL_CTX_free(two);
}

/* One that reads the key that libssl has made for it, and gives it to another, has it shared by
 * that.
 */
static void keys_read(void)
{
    unsigned char keys[80];
    SSL_CTX *one = new_ticket_server(), *two = new_ticket_server();
    SSL_SESSION *session;
    use_certificate(two, "another");
    MUST(SSL_CTX_get_tlsext_ticket_keys(one, keys, sizeof keys) == 1);
    MUST(SSL_CTX_set_tlsext_ticket_keys(two, keys, sizeof keys) == 1);
    full(one, &session, NULL);
    say("at the other: %s", again(two, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(one);
    SSL_CTX_free(two);
}

static const struct scenario scenarios[] = {
    {"answers-old", answers_old},
    {"answers-evp", answers_evp},
    {"old-then-evp", old_then_evp},
    {"evp-then-old", evp_then_old},
    {"older-old", older_old},
    {"older-evp", older_evp},
    {"later-answers-old", later_answers_old},
    {"later-answers-evp", later_answers_evp},
    {"own-keys", own_keys},
    {"keys-read", keys_read},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
