/* modes.c - every mode, with and without tickets and each of the application's callbacks. */
#include "../../c/lib/modes.h"
#include "record.h"

/* All that a session goes through, in one context. */
static void live_through(SSL_CTX *ctx)
{
    SSL_SESSION *session = begin(ctx);
    say_counters(ctx);
    come_back(ctx, session);
    meet(ctx, (struct visit){.session = &session, .replace = true});
    say_counters(ctx);
    come_back_and(ctx, session, UNCLEAN);
    come_back(ctx, session);
    SSL_SESSION_free(session);
    session = begin(ctx);
    come_back_and(ctx, session, ALERT);
    come_back(ctx, session);
    say_counters(ctx);
    say("remove: %d", SSL_CTX_remove_session(ctx, session));
    come_back(ctx, session);
    SSL_SESSION_free(session);
    say_counters(ctx);
    SSL_CTX_flush_sessions(ctx, 1); /* nothing is that old */
    say_counters(ctx);
}

static void one(long mode, bool tickets, int callbacks, enum keeping keeping, enum giving giving)
{
    SSL_CTX *ctx = new_server();
    app = (struct app){.keeping = keeping, .giving = giving};
    say_settings(ctx);
    say("mode was %#lx", SSL_CTX_set_session_cache_mode(ctx, mode));
    if (tickets)
        SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    use_callbacks(ctx, callbacks);
    say_settings(ctx);
    live_through(ctx);
    say_settings(ctx);
    /* libssl 3.0 moves what is added again to the end, 3.5 does not (L31): the order varies. */
    app.collects = keeping != KEEPS_NOTHING;
    SSL_CTX_free(ctx);
    if (app.collects)
        say_removed();
    say("freed, live %ld", live());
}

static void subsets(bool tickets)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        for (int callbacks = 0; callbacks <= ALL; callbacks++) {
            part("%s, callbacks %d", modes[i].name, callbacks);
            one(modes[i].mode, tickets, callbacks, KEEPS_NOTHING, LENDS_SILENTLY);
        }
    }
}

static void without_tickets(void)
{
    subsets(false);
}

static void with_tickets(void)
{
    subsets(true);
}

static void kept(enum keeping keeping, enum giving giving)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        part("%s", modes[i].name);
        one(modes[i].mode, false, ALL, keeping, giving);
        part("%s, no remove callback", modes[i].name);
        one(modes[i].mode, false, NEW | GET, keeping, giving);
    }
}

static void references_lent_silently(void)
{
    kept(KEEPS_REFERENCES, LENDS_SILENTLY);
}

static void references_lent(void)
{
    kept(KEEPS_REFERENCES, LENDS);
}

static void references_given(void)
{
    kept(KEEPS_REFERENCES, GIVES);
}

static void copies_lent(void)
{
    kept(KEEPS_COPIES, LENDS);
}

static void copies_given(void)
{
    kept(KEEPS_COPIES, GIVES);
}

/* The mode changes while there are sessions; it keeps the bit of a server. */
static void changes(void)
{
    SSL_CTX *ctx = new_server();
    use_callbacks(ctx, ALL);
    SSL_SESSION *session = begin(ctx);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (!(modes[i].mode & SSL_SESS_CACHE_SERVER))
            continue;
        say("mode was %#lx", SSL_CTX_set_session_cache_mode(ctx, modes[i].mode));
        say("%s", modes[i].name);
        come_back(ctx, session);
        say_counters(ctx);
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    come_back(ctx, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* So do the callbacks, each time to others. */
static void callbacks_change(void)
{
    static const int sets[] = {ALL, NEW, ALL, GET | REMOVE, 0, ALL};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        part("%s", modes[i].name);
        SSL_CTX *ctx = new_server();
        app = (struct app){.keeping = KEEPS_NOTHING};
        SSL_CTX_set_session_cache_mode(ctx, modes[i].mode);
        SSL_SESSION *session = begin(ctx);
        for (size_t j = 0; j < sizeof sets / sizeof *sets; j++) {
            use_callbacks(ctx, sets[j]);
            say_settings(ctx);
            come_back(ctx, session);
            SSL_SESSION *another = begin(ctx);
            come_back_and(ctx, another, UNCLEAN);
            come_back(ctx, another);
            SSL_SESSION_free(another);
            say_counters(ctx);
        }
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
    }
}

/* One context for both ends. */
static void both_ends(void)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        part("%s", modes[i].name);
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        SSL_SESSION *session = NULL;
        MUST(ctx && SSL_CTX_set_min_proto_version(ctx, tls_version));
        MUST(SSL_CTX_set_max_proto_version(ctx, tls_version));
        use_certificate(ctx, "server");
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(ctx, modes[i].mode);
        use_callbacks(ctx, ALL);
        for (int j = 0; j < 3; j++)
            meet(ctx, (struct visit){.session = &session, .replace = true, .client = ctx});
        say_counters(ctx);
        come_back_and(ctx, session, UNCLEAN);
        say_counters(ctx);
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        say("freed, live %ld", live());
    }
}

static const struct scenario scenarios[] = {
    {"without-tickets", without_tickets},
    {"with-tickets", with_tickets},
    {"references-lent-silently", references_lent_silently},
    {"references-lent", references_lent},
    {"references-given", references_given},
    {"copies-lent", copies_lent},
    {"copies-given", copies_given},
    {"changes", changes},
    {"callbacks-change", callbacks_change},
    {"both-ends", both_ends},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
