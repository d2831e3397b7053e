/*
 * extensions.c - the interposed functions by which a host reads extensions of its clients.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <string.h>

#include "../ssl/libssl.h"
#include "choosing.h"
#include "context.h"

/*
 * A host's callback for an extension of the ClientHello runs after the lookup, and before that for
 * the server name, which libssl calls with and without one: what it has chosen is seen there. One
 * that is not called where a session is resumed, or that is about a client's certificate, says
 * nothing of what it would do now.
 */
static void observe_parser(SSL_CTX *ctx, unsigned where, const void *parser, const void *caller)
{
    struct gosess_context *context = gosess_context_of(ctx);
    __typeof__(&SSL_CTX_callback_ctrl) set =
        (__typeof__(set))gosess_next(GOSESS_AT_SSL_CTX_callback_ctrl, caller);
    if (!context || !parser || gosess_is_libssl(parser)) /* SSL_CTX_use_serverinfo(3) */
        return;
    if (where & SSL_EXT_TLS1_3_CERTIFICATE)
        atomic_store(&context->observed.judges, true);
    if (where & SSL_EXT_IGNORE_ON_RESUMPTION)
        atomic_store(&context->observed.chooses, true);
    if (!(where & SSL_EXT_CLIENT_HELLO) || atomic_exchange(&context->observed.parses, true) || !set)
        return;
    set(ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, (void (*)(void))gosess_on_servername);
}

GOSESS_EXPORT int SSL_CTX_add_custom_ext(SSL_CTX *ctx, unsigned type, unsigned where,
                                         SSL_custom_ext_add_cb_ex add,
                                         SSL_custom_ext_free_cb_ex release, void *add_argument,
                                         SSL_custom_ext_parse_cb_ex parse, void *parse_argument)
{
    __typeof__(&SSL_CTX_add_custom_ext) next = GOSESS_NEXT(SSL_CTX_add_custom_ext);
    const void *parser;
    memcpy(&parser, &parse, sizeof parser);
    observe_parser(ctx, where, parser, __builtin_return_address(0));
    return next ? next(ctx, type, where, add, release, add_argument, parse, parse_argument) : 0;
}

GOSESS_EXPORT int SSL_CTX_add_server_custom_ext(SSL_CTX *ctx, unsigned type, custom_ext_add_cb add,
                                                custom_ext_free_cb release, void *add_argument,
                                                custom_ext_parse_cb parse, void *parse_argument)
{
    __typeof__(&SSL_CTX_add_server_custom_ext) next = GOSESS_NEXT(SSL_CTX_add_server_custom_ext);
    const void *parser;
    memcpy(&parser, &parse, sizeof parser);
    observe_parser(ctx, SSL_EXT_CLIENT_HELLO | SSL_EXT_IGNORE_ON_RESUMPTION, parser,
                   __builtin_return_address(0));
    return next ? next(ctx, type, add, release, add_argument, parse, parse_argument) : 0;
}
