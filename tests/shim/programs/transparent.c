/*
 * transparent.c - everything that a host can see of the session cache. Lines that begin with
 * "host" are what it set itself, which gosess never changes; the others are what libssl made
 * of it, which gosess changes only where it serves.
 */
#include "../../c/lib/hosts.h"
#include "../../c/lib/modes.h"

#include <openssl/err.h>

static int other_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    trace("other-new");
    return 0;
}

static void say_registered(SSL_CTX *ctx)
{
    int (*set_new)(SSL *, SSL_SESSION *) = SSL_CTX_sess_get_new_cb(ctx);
    void (*set_remove)(SSL_CTX *, SSL_SESSION *) = SSL_CTX_sess_get_remove_cb(ctx);
    SSL_SESSION *(*set_get)(SSL *, const unsigned char *, int, int *) =
        SSL_CTX_sess_get_get_cb(ctx);
    say("host new %s, remove %s, get %s, mode %#lx, size %ld",
        !set_new               ? "unset"
        : set_new == host_new  ? "set"
        : set_new == other_new ? "other"
                               : "strange",
        !set_remove                 ? "unset"
        : set_remove == host_remove ? "set"
                                    : "strange",
        !set_get              ? "unset"
        : set_get == host_get ? "set"
                              : "strange",
        SSL_CTX_get_session_cache_mode(ctx), SSL_CTX_sess_get_cache_size(ctx));
}

static void say_counters(SSL_CTX *ctx)
{
    say("number %ld, accept %ld, good %ld, hits %ld, from get %ld, misses %ld, timeouts %ld, "
        "full %ld",
        SSL_CTX_sess_number(ctx), SSL_CTX_sess_accept(ctx), SSL_CTX_sess_accept_good(ctx),
        SSL_CTX_sess_hits(ctx), SSL_CTX_sess_cb_hits(ctx), SSL_CTX_sess_misses(ctx),
        SSL_CTX_sess_timeouts(ctx), SSL_CTX_sess_cache_full(ctx));
}

static void say_visits(SSL_CTX *ctx)
{
    SSL_SESSION *session;
    SSL_CTX *client = new_client();
    const char *first = full(ctx, &session, NULL);
    say("%s: %s", first, host_trace());
    const char *second = again(ctx, session, NULL);
    say("%s: %s", second, host_trace());
    struct connection c = open_connection(ctx, client, session, NULL);
    shake_hands(&c);
    close_connection(&c, UNCLEAN);
    say("unclean: %s", host_trace());
    const char *third = again(ctx, session, NULL);
    say("%s: %s", third, host_trace());
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    say("errors left: %lu", ERR_peek_error());
}

static void one(long mode, bool tickets, bool callbacks, bool keeps, bool transfers)
{
    SSL_CTX *ctx = new_server();
    host = (struct host){.keeps = keeps, .transfers = transfers};
    say_registered(ctx);
    say("host mode was %#lx", SSL_CTX_set_session_cache_mode(ctx, mode));
    say("host mode is %#lx", SSL_CTX_set_session_cache_mode(ctx, mode));
    say("host size was %ld", SSL_CTX_sess_set_cache_size(ctx, 5));
    if (tickets)
        SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    if (callbacks)
        use_host_callbacks(ctx);
    say_registered(ctx);
    say_visits(ctx);
    SSL_CTX_sess_set_new_cb(ctx, callbacks ? other_new : NULL);
    SSL_CTX_sess_set_get_cb(ctx, NULL);
    say_registered(ctx);
    say_visits(ctx);
    SSL_CTX_sess_set_new_cb(ctx, NULL);
    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    say_registered(ctx);
    say_visits(ctx);
    use_host_callbacks(ctx);
    say_registered(ctx);
    SSL_CTX_free(ctx);
    say("freed: %s", host_trace());
    host_forget();
}

static void all(void)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        for (int bits = 0; bits < 16; bits++) {
            bool tickets = bits & 1, callbacks = bits & 2, keeps = bits & 4, transfers = bits & 8;
            if ((keeps || transfers) && !callbacks)
                continue;
            say("= %s, tickets %d, callbacks %d, keeps %d, transfers %d", modes[i].name, tickets,
                callbacks, keeps, transfers);
            one(modes[i].mode, tickets, callbacks, keeps, transfers);
        }
    }
}

static const struct scenario scenarios[] = {{"all", all}};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, 1);
}
