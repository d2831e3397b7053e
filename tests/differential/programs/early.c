/* early.c - early data, with and without libssl's anti-replay (L26). */
#include "record.h"

#include <openssl/err.h>

static bool retries; /* the server asks for another ClientHello */

static SSL_CTX *accepting(long mode, uint64_t options)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_max_early_data(ctx, 1024);
    SSL_CTX_set_recv_max_early_data(ctx, 1024);
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_options(ctx, options);
    SSL_CTX_set_session_cache_mode(ctx, mode);
    use_callbacks(ctx, ALL);
    if (retries)
        want_another_hello(ctx);
    return ctx;
}

/* One connection that sends early data; its session is replaced where that is asked for. */
static void send_early(SSL_CTX *ctx, SSL_SESSION **session, bool replace, enum ending ending)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(ctx, client, *session, NULL);
    char buffer[64];
    size_t written = 0, length = 0;
    int sent = SSL_write_early_data(c.client, "early", 5, &written);
    int state = SSL_read_early_data(c.server, buffer, sizeof buffer, &length);
    while (state == SSL_READ_EARLY_DATA_SUCCESS)
        state = SSL_read_early_data(c.server, buffer, sizeof buffer, &length);
    ERR_clear_error();
    shake_hands(&c);
    say("%s, sent %d, early data %s", outcome(&c), sent,
        SSL_get_early_data_status(c.server) == SSL_EARLY_DATA_ACCEPTED ? "taken" : "refused");
    if (replace && c.done) {
        SSL_SESSION_free(*session);
        *session = client_session(&c);
    }
    close_connection(&c, ending);
    SSL_CTX_free(client);
}

static void replay(long mode, uint64_t options, int which, enum keeping keeping)
{
    SSL_CTX *ctx = accepting(mode, options);
    use_callbacks(ctx, which);
    app.keeping = keeping;
    app.giving = GIVES;
    app.forgets = app.collects = true;
    SSL_SESSION *session = begin(ctx);
    say_removed();
    say_counters(ctx);
    say("a chain");
    for (int i = 0; i < 3; i++)
        send_early(ctx, &session, true, CLEAN);
    say_removed();
    say_counters(ctx);
    say("without early data");
    meet(ctx, (struct visit){.session = &session, .replace = true});
    say("the first time, and a replay");
    send_early(ctx, &session, false, CLEAN);
    send_early(ctx, &session, false, CLEAN);
    say_removed();
    say_counters(ctx);
    say("without early data");
    come_back(ctx, session);
    SSL_SESSION_free(session);
    session = begin(ctx);
    say("uncleanly");
    send_early(ctx, &session, true, UNCLEAN);
    send_early(ctx, &session, true, CLEAN);
    say_removed();
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    say_removed();
    say("freed, live %ld", live());
}

static void all_callbacks(uint64_t options)
{
    if (tls_version != TLS1_3_VERSION)
        return;
    for (int which = 0; which <= ALL; which++) {
        part("callbacks %d", which);
        replay(SSL_SESS_CACHE_SERVER, options, which, KEEPS_NOTHING);
    }
}

static void anti_replay(void)
{
    all_callbacks(0);
}

static void stateful_anti_replay(void)
{
    all_callbacks(SSL_OP_NO_TICKET);
}

static void no_anti_replay(void)
{
    all_callbacks(SSL_OP_NO_ANTI_REPLAY);
}

static void stateful_no_anti_replay(void)
{
    all_callbacks(SSL_OP_NO_ANTI_REPLAY | SSL_OP_NO_TICKET);
}

/*
 * A HelloRetryRequest asks for the session twice: libssl does not find it again, gosess does.
 * What is the same is that early data is refused, and that a replay is not resumed.
 */
static void hello_retry(void)
{
    if (tls_version != TLS1_3_VERSION)
        return;
    retries = true;
    SSL_CTX *ctx = accepting(SSL_SESS_CACHE_SERVER, 0);
    use_callbacks(ctx, 0);
    SSL_SESSION *session = begin(ctx);
    send_early(ctx, &session, true, CLEAN);
    come_back(ctx, session);
    say("replayed");
    come_back(ctx, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    retries = false;
}

static const long modes[] = {
    SSL_SESS_CACHE_SERVER,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
    SSL_SESS_CACHE_BOTH,
    SSL_SESS_CACHE_OFF,
};

static void external(enum keeping keeping, uint64_t options)
{
    if (tls_version != TLS1_3_VERSION)
        return;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        part("mode %#lx", modes[i]);
        replay(modes[i], options, ALL, keeping);
    }
}

static void in_every_mode(void)
{
    external(KEEPS_NOTHING, 0);
}

static void with_external_cache(void)
{
    external(KEEPS_COPIES, 0);
}

static void with_external_cache_no_anti_replay(void)
{
    external(KEEPS_COPIES, SSL_OP_NO_ANTI_REPLAY | SSL_OP_NO_TICKET);
}

static int allow_none(SSL *ssl, void *unused)
{
    (void)ssl, (void)unused;
    return 0;
}

/* The application refuses: the session is spent all the same. */
static void not_allowed(void)
{
    if (tls_version != TLS1_3_VERSION)
        return;
    SSL_CTX *ctx = accepting(SSL_SESS_CACHE_SERVER, 0);
    SSL_CTX_set_allow_early_data_cb(ctx, allow_none, NULL);
    app.collects = true;
    SSL_SESSION *session = begin(ctx);
    send_early(ctx, &session, false, CLEAN);
    send_early(ctx, &session, false, CLEAN);
    say_removed();
    say_counters(ctx);
    SSL_SESSION_free(session);
    app.collects = true;
    SSL_CTX_free(ctx);
    say_removed();
}

static const struct scenario scenarios[] = {
    {"anti-replay", anti_replay},
    {"stateful-anti-replay", stateful_anti_replay},
    {"no-anti-replay", no_anti_replay},
    {"stateful-no-anti-replay", stateful_no_anti_replay},
    {"hello-retry", hello_retry},
    {"in-every-mode", in_every_mode},
    {"with-external-cache", with_external_cache},
    {"with-external-cache-no-anti-replay", with_external_cache_no_anti_replay},
    {"not-allowed", not_allowed},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
