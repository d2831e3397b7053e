/*
 * choosing.c - the callbacks in which a host chooses, after libssl has looked for a session.
 *
 * By then libssl has given the connection its session. Where a full handshake would present or
 * demand something else than when that was made, libssl cannot be made to begin one: the client is
 * turned away, and its next handshake is a full one.
 */
#define _GNU_SOURCE
#include "choosing.h"

#include <stdatomic.h>
#include <string.h>

#include "../base/locks.h"
#include "../base/log.h"
#include "../ssl/function.h"
#include "../ssl/libssl.h"
#include "call.h"
#include "own.h"
#include "terms.h"

bool gosess_chooses_in_hello(uintptr_t callback)
{
    static const char *const hosts[] = {"mod_ssl"};
    return gosess_function_is_of(callback, hosts, sizeof hosts / sizeof *hosts);
}

static void say_turned_away(void)
{
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_STORE,
               "a client is turned away: the server has chosen other certificates or rules for "
               "it than those of its session");
}

/* --- by the server name --- */

/* What the host was seen to do with a connection, of which it is asked before the next lookup. */
static void observe_switch(struct gosess_connection *connection, const SSL_CTX *before)
{
    struct gosess_context *first = connection->first;
    const char *name = gosess_ssl->SSL_get_servername(connection->ssl, TLSEXT_NAMETYPE_host_name);
    if (gosess_ssl->SSL_get_SSL_CTX(connection->ssl) != before) {
        if (!name)
            atomic_store(&first->observed.switched_nameless, true);
        if (!gosess_switches_late(first, before, true))
            atomic_store(&first->observed.switched_twice, true);
    }
    connection->late = gosess_switches_late(first, before, name != NULL);
}

/* Where the name has led now, the next client need not be turned away to find out. */
static void learn(struct gosess_connection *connection)
{
    struct gosess_scope scope;
    gosess_ssl->ERR_set_mark();
    if (gosess_scope_led(connection, &scope))
        gosess_ask(connection->first,
                   &(struct gosess_request){.operation = GOSESS_LEARN, .scope = &scope});
    gosess_ssl->ERR_pop_to_mark();
}

int gosess_on_servername(SSL *ssl, int *alert, void *argument)
{
    const SSL_CTX *before = gosess_ssl->SSL_get_SSL_CTX(ssl);
    struct gosess_connection *connection = gosess_connection_of(ssl);
    struct gosess_context *first = gosess_first_of(ssl, connection);
    struct gosess_context *now = first && first->ctx == before ? first : gosess_context_of(before);
    gosess_servername_cb application = now ? atomic_load(&now->observed.servername) : NULL;
    if (!application && first)
        application = atomic_load(&first->observed.servername);
    int answer =
        application ? GOSESS_HOST(application)(ssl, alert, argument) : SSL_TLSEXT_ERR_NOACK;
    if (answer == SSL_TLSEXT_ERR_ALERT_FATAL || !connection || !gosess_ssl->SSL_is_server(ssl))
        return answer;
    observe_switch(connection, before);
    if (gosess_may_keep(connection))
        return answer;
    say_turned_away();
    learn(connection);
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* --- later --- */

/* What is cheap to compare of what a full handshake would present and demand. */
struct choice {
    SSL_CTX *ctx;
    const X509 *certificate;
    uint64_t rules;
};

static struct choice choice_of(SSL *ssl)
{
    return (struct choice){
        .ctx = gosess_ssl->SSL_get_SSL_CTX(ssl),
        .certificate = gosess_ssl->SSL_get_certificate(ssl),
        .rules = gosess_own_rules(ssl),
    };
}

static bool has_changed(SSL *ssl, const struct choice *before)
{
    struct choice now = choice_of(ssl);
    return now.ctx != before->ctx || now.certificate != before->certificate ||
           now.rules != before->rules;
}

/* No lookup can say what a callback of the context will choose: nothing there is shared. */
static void observe_choice(const SSL_CTX *ctx)
{
    struct gosess_context *context = gosess_context_of(ctx);
    if (context)
        atomic_store(&context->observed.chooses, true);
}

/*
 * Whether a connection may go on after the callback for the protocol. If that has chosen, what a
 * full handshake makes is not shared. Once a client had to be turned away, nothing is there.
 */
static bool may_go_on(SSL *ssl, const struct choice *before)
{
    struct gosess_connection *connection = gosess_connection_of(ssl);
    if (!connection || !gosess_ssl->SSL_is_server(ssl) || !has_changed(ssl, before))
        return true;
    if (gosess_may_keep(connection)) {
        connection->chooses |= !gosess_ssl->SSL_session_reused(ssl);
        return true;
    }
    observe_choice(before->ctx);
    say_turned_away();
    return false;
}

int gosess_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                   const unsigned char *in, unsigned int in_length, void *argument)
{
    struct choice before = choice_of(ssl);
    const struct gosess_context *context = gosess_context_of(before.ctx);
    gosess_alpn_cb application = context ? atomic_load(&context->observed.alpn) : NULL;
    if (!application)
        return SSL_TLSEXT_ERR_NOACK;
    int answer = GOSESS_HOST(application)(ssl, out, out_length, in, in_length, argument);
    return may_go_on(ssl, &before) ? answer : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/*
 * libssl does not call it where a session is resumed (no certificate is sent), so it is noted at a
 * full handshake that it chooses. A client calls it with what the server has sent.
 */
int gosess_on_status(SSL *ssl, void *argument)
{
    struct choice before = choice_of(ssl);
    const struct gosess_context *context = gosess_context_of(before.ctx);
    gosess_status_cb application = context ? atomic_load(&context->observed.status) : NULL;
    if (!application)
        return gosess_ssl->SSL_is_server(ssl) ? SSL_TLSEXT_ERR_NOACK : 1;
    int answer = GOSESS_HOST(application)(ssl, argument);
    struct gosess_connection *connection = gosess_connection_of(ssl);
    if (connection && gosess_ssl->SSL_is_server(ssl) && has_changed(ssl, &before)) {
        connection->chooses = true;
        observe_choice(before.ctx);
    }
    return answer;
}

void gosess_tell_status_callback(const struct gosess_context *context, void *callback)
{
    gosess_status_cb said, ours = gosess_on_status;
    memcpy(&said, callback, sizeof said);
    if (said != ours)
        return;
    said = atomic_load(&context->observed.status);
    memcpy(callback, &said, sizeof said);
}
