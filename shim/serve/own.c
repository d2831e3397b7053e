/*
 * own.c - rules for clients that a connection has of its own.
 *
 * libssl verifies with what the SSL has. Its parameters (X509_VERIFY_PARAM) are a copy of those
 * that the first context had in SSL_new(3), and stay so when the host switches it to another
 * context, or changes the context. The rest goes with SSL_set_SSL_CTX, unless the host has set it
 * for the SSL.
 */
#define _GNU_SOURCE
#include "own.h"

#include <stdatomic.h>
#include <string.h>

#include "../ssl/digest.h"
#include "../ssl/libssl.h"
#include "../ssl/verification.h"
#include "connection.h"

/* What is compared, and makes up the number. No padding. */
struct rules {
    uint64_t mode, callback;
    uint64_t level, level_callback;
    struct gosess_param param;
    uint64_t others; /* those of below: bits, because an address may be another object's by now */
};

enum { OTHER_STORE = 1, OTHER_NAMES = 2, OTHER_PARAM = 4 };

static bool same_names(const OPENSSL_STACK *a, const OPENSSL_STACK *b)
{
    int count = a ? gosess_ssl->OPENSSL_sk_num(a) : 0;
    if (a == b)
        return true;
    if (count != (b ? gosess_ssl->OPENSSL_sk_num(b) : 0))
        return false;
    for (int i = 0; i < count; i++)
        if (gosess_ssl->X509_NAME_cmp(gosess_ssl->OPENSSL_sk_value(a, i),
                                      gosess_ssl->OPENSSL_sk_value(b, i)) != 0)
            return false;
    return true;
}

/* The names that a client is told, of which a host may give each connection a copy (HAProxy). */
static bool same_authorities(const SSL *ssl, const SSL_CTX *ctx)
{
    return same_names((const OPENSSL_STACK *)gosess_ssl->SSL_get_client_CA_list(ssl),
                      (const OPENSSL_STACK *)gosess_ssl->SSL_CTX_get_client_CA_list(ctx)) &&
           same_names((const OPENSSL_STACK *)gosess_ssl->SSL_get0_CA_list(ssl),
                      (const OPENSSL_STACK *)gosess_ssl->SSL_CTX_get0_CA_list(ctx));
}

/* Before 3.0.2 and 1.1.1n libssl cannot say it: then one that the context was given may be another.
 */
static bool same_store(SSL *ssl, SSL_CTX *ctx, const struct gosess_context *context)
{
    X509_STORE *own = NULL, *of_context = NULL;
    if (gosess_ssl->SSL_ctrl(ssl, SSL_CTRL_GET_VERIFY_CERT_STORE, 0, &own) == 1 &&
        gosess_ssl->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_VERIFY_CERT_STORE, 0, &of_context) == 1)
        return own == of_context;
    return context && !atomic_load(&context->observed.store);
}

/* What cannot be read is as it was when the SSL was made, and no host has had a hand in it. */
static bool same_unread(const SSL *ssl, const struct gosess_context *context)
{
    const struct gosess_connection *connection = gosess_connection_of(ssl);
    return context && connection && !connection->ruled &&
           connection->purpose == atomic_load(&context->observed.purpose) &&
           connection->trust == atomic_load(&context->observed.trust);
}

/* Flags of inheritance are of the context alone: SSL_new copies by them, and not them. */
static void read_params(SSL *ssl, SSL_CTX *ctx, struct rules *own, struct rules *of_context)
{
    if (!gosess_read_param(gosess_ssl->SSL_get0_param(ssl), &own->param) ||
        !gosess_read_param(gosess_ssl->SSL_CTX_get0_param(ctx), &of_context->param))
        own->others |= OTHER_PARAM;
    of_context->param.inherit_flags = 0;
}

static uint64_t number_of(const struct rules *rules)
{
    return gosess_fnv(GOSESS_FNV_START, rules, sizeof *rules) | 1;
}

/* What decides on clients without a certificate too. */
static void read_level(const SSL *ssl, const SSL_CTX *ctx, struct rules *own,
                       struct rules *of_context)
{
    own->mode = (uint64_t)gosess_ssl->SSL_get_verify_mode(ssl);
    of_context->mode = (uint64_t)gosess_ssl->SSL_CTX_get_verify_mode(ctx);
    own->level = (uint64_t)gosess_ssl->SSL_get_security_level(ssl);
    of_context->level = (uint64_t)gosess_ssl->SSL_CTX_get_security_level(ctx);
    own->level_callback = (uintptr_t)gosess_ssl->SSL_get_security_callback(ssl);
    of_context->level_callback = (uintptr_t)gosess_ssl->SSL_CTX_get_security_callback(ctx);
}

static void read_verification(SSL *ssl, SSL_CTX *ctx, struct rules *own, struct rules *of_context)
{
    const struct gosess_context *context = gosess_context_of(ctx);
    gosess_ssl->ERR_set_mark(); /* a missing address is an error to libcrypto */
    own->callback = (uintptr_t)gosess_ssl->SSL_get_verify_callback(ssl);
    of_context->callback = (uintptr_t)gosess_ssl->SSL_CTX_get_verify_callback(ctx);
    read_params(ssl, ctx, own, of_context);
    own->others |= (same_store(ssl, ctx, context) ? 0U : OTHER_STORE) |
                   (same_authorities(ssl, ctx) ? 0U : OTHER_NAMES) |
                   (same_unread(ssl, context) ? 0U : OTHER_PARAM);
    gosess_ssl->ERR_pop_to_mark();
}

uint64_t gosess_own_rules(SSL *ssl)
{
    SSL_CTX *ctx = gosess_ssl->SSL_get_SSL_CTX(ssl);
    struct rules own = {0}, of_context = {0};
    read_level(ssl, ctx, &own, &of_context);
    if (own.mode != SSL_VERIFY_NONE)
        read_verification(ssl, ctx, &own, &of_context);
    return memcmp(&own, &of_context, sizeof own) == 0 ? 0 : number_of(&own);
}

#ifndef SSL_OP_NO_EXTENDED_MASTER_SECRET /* 3.0 */
#    define SSL_OP_NO_EXTENDED_MASTER_SECRET 1
#endif

/* libssl fails a handshake that resumes what was made with one of these, and is without now. */
#define LIMITING_OPTIONS ((uint64_t)(SSL_OP_NO_EXTENDED_MASTER_SECRET | SSL_OP_NO_COMPRESSION))

void gosess_read_limits(SSL *ssl, const struct gosess_connection *connection,
                        struct gosess_limits *limits)
{
    memset(limits, 0, sizeof *limits);
    limits->options = gosess_ssl->SSL_get_options(ssl) & LIMITING_OPTIONS;
    /* Another mode of the SSL is one of its own rules, which it may get after its handshake. */
    if (gosess_ssl->SSL_CTX_get_verify_mode(gosess_ssl->SSL_get_SSL_CTX(ssl)) == SSL_VERIFY_NONE)
        return;
    limits->flags = (uint64_t)gosess_ssl->SSL_ctrl(ssl, SSL_CTRL_CERT_FLAGS, 0, NULL);
    limits->largest = (uint64_t)gosess_ssl->SSL_ctrl(ssl, SSL_CTRL_GET_MAX_CERT_LIST, 0, NULL);
    limits->groups = connection->groups;
}
