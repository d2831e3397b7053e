/* sizes.c - a cache that is full, and one that is cleared by itself. */
#include "record.h"

#include <time.h>

#define VISITS 12

static void visits(SSL_CTX *ctx)
{
    SSL_SESSION *sessions[VISITS];
    for (int i = 0; i < VISITS; i++) {
        say("visit %d", i + 1);
        sessions[i] = begin(ctx);
        say_counters(ctx);
    }
    /* Those that were evicted first: a full handshake evicts more. */
    for (int i = VISITS - 1; i >= 0; i--) {
        say("visit %d again", i + 1);
        come_back(ctx, sessions[i]);
        SSL_SESSION_free(sessions[i]);
    }
    say_counters(ctx);
}

static const long sizes[] = {1, 2, 3, 10, 0};
#define SIZES (sizeof sizes / sizeof *sizes)

static SSL_CTX *of_size(long held, int which)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_num_tickets(ctx, 1);
    set_size(ctx, held);
    use_callbacks(ctx, which);
    return ctx;
}

static void evictions(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        static const int callbacks[] = {0, NEW | GET, REMOVE, ALL};
        for (int j = 0; j < 4; j++) {
            part("%ld sessions, callbacks %d", sizes[i], callbacks[j]);
            SSL_CTX *ctx = of_size(sizes[i], callbacks[j]);
            visits(ctx);
            SSL_CTX_free(ctx);
            say("freed, live %ld", live());
        }
    }
}

/* What is asked for by its own application goes into the cache, and makes others leave it. */
static void evictions_by_get(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        for (enum giving giving = LENDS_SILENTLY; giving <= GIVES; giving++) {
            part("%ld sessions, giving %d", sizes[i], giving);
            SSL_CTX *ctx = of_size(sizes[i], ALL);
            app.keeping = KEEPS_COPIES;
            app.giving = giving;
            visits(ctx);
            SSL_CTX_free(ctx);
            say("freed, live %ld", live());
        }
    }
}

/* Who expires first leaves first, whoever came first. */
static void order(void)
{
    static const long timeouts[VISITS] = {500, 100, 900, 300, 300, 1, 800, 20, 700, 100, 600, 400};
    for (size_t i = 0; i < SIZES; i++) {
        part("%ld sessions", sizes[i]);
        SSL_CTX *ctx = of_size(sizes[i], ALL);
        for (int j = 0; j < VISITS; j++) {
            SSL_CTX_set_timeout(ctx, timeouts[j]);
            say("timeout %ld", timeouts[j]);
            SSL_SESSION_free(begin(ctx));
        }
        say_counters(ctx);
        SSL_CTX_free(ctx);
        say("freed, live %ld", live());
    }
}

/* A size that changes has an effect at the next session. */
static void resizing(void)
{
    static const long to[] = {10, 3, 5, 1, 0, 2};
    SSL_CTX *ctx = of_size(0, ALL);
    for (int i = 0; i < 8; i++)
        SSL_SESSION_free(begin(ctx));
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        say("%ld sessions", to[i]);
        set_size(ctx, to[i]);
        say_counters(ctx);
        SSL_SESSION_free(begin(ctx));
        say_counters(ctx);
    }
    SSL_CTX_free(ctx);
}

/* How many sessions a cache of some size holds: N or N - 1. */
static void held(void)
{
    static const long all[] = {1, 2, 3, 10, 0};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        SSL_CTX *ctx = of_size(0, 0);
        SSL_CTX_sess_set_cache_size(ctx, all[i]);
        app.quiet = true;
        for (int j = 0; j < 15; j++)
            SSL_SESSION_free(begin(ctx));
        say("a cache of %ld holds %ld", all[i], SSL_CTX_sess_number(ctx));
        SSL_CTX_free(ctx);
    }
}

/* --- clearing --- */

#define CONNECTIONS 300

static void clear(long mode)
{
    for (int which = 0; which <= REMOVE; which += REMOVE) {
        for (int resuming = 0; resuming < 2; resuming++) {
            part("mode %#lx, callbacks %d, resuming %d", mode, which, resuming);
            SSL_CTX *ctx = of_size(0, which);
            SSL_CTX_set_session_cache_mode(ctx, mode);
            SSL_CTX_set_timeout(ctx, 100);
            app.quiet = true;
            app.collects = true;
            SSL_SESSION *session = begin(ctx);
            SSL_CTX_set_timeout(ctx, 10000);
            SSL_SESSION *lasting = begin(ctx);
            SSL_CTX_set_timeout(ctx, 100);
            for (int i = 2; i < CONNECTIONS; i++) {
                if (i == 200)
                    pass(200);
                if (resuming)
                    come_back(ctx, lasting);
                else
                    SSL_SESSION_free(begin(ctx));
                if (i % 50 == 0 || (i > 250 && i < 260)) {
                    say("connection %d", i + 1);
                    say_removed();
                    say_counters(ctx);
                }
            }
            say_counters(ctx);
            SSL_SESSION_free(session);
            SSL_SESSION_free(lasting);
            SSL_CTX_free(ctx);
            say_removed();
        }
    }
}

static void clearing(void)
{
    clear(SSL_SESS_CACHE_SERVER);
}

static void clearing_both(void)
{
    clear(SSL_SESS_CACHE_BOTH);
}

static void not_clearing(void)
{
    clear(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
}

static void clearing_without_lookup(void)
{
    clear(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
}

/* --- SSL_SESS_CACHE_UPDATE_TIME --- */

static SSL_SESSION *first;

static void keep_first(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    if (!first && SSL_SESSION_up_ref(session))
        first = session;
}

static void update(bool adding)
{
    static const long modes[] = {
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME,
        SSL_SESS_CACHE_SERVER,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME | SSL_SESS_CACHE_NO_INTERNAL_STORE,
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        part("mode %#lx", modes[i]);
        SSL_CTX *ctx = of_size(0, ALL);
        SSL_CTX_set_session_cache_mode(ctx, modes[i]);
        SSL_CTX_set_timeout(ctx, 100);
        app.on_new = keep_first;
        SSL_SESSION *session = begin(ctx);
        SSL_SESSION_set_timeout(session, 1000);
        long made = (long)SSL_SESSION_get_time(first);
        SSL_CTX_set_num_tickets(ctx, 0);
        for (int j = 0; j < 4; j++) {
            pass(30);
            come_back(ctx, session);
            if (adding)
                say("add: %d", SSL_CTX_add_session(ctx, first));
            say("its time is %ld s later", (long)SSL_SESSION_get_time(first) - made);
        }
        say_counters(ctx);
        SSL_CTX_flush_sessions(ctx, (long)time(NULL) + 90);
        say_counters(ctx);
        SSL_SESSION_free(session);
        SSL_SESSION_free(first);
        first = NULL;
        SSL_CTX_free(ctx);
    }
}

static void updating_time(void)
{
    update(false);
}

static void updating_time_by_adding(void)
{
    update(true);
}

/* What comes from another cache gets a new time where it enters this one. */
static void updating_time_by_get(void)
{
    SSL_CTX *ctx = of_size(0, ALL);
    app.keeping = KEEPS_COPIES;
    app.giving = GIVES;
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME);
    SSL_CTX_set_timeout(ctx, 100);
    SSL_SESSION *session = begin(ctx);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_SESSION_set_timeout(session, 1000);
    for (int i = 0; i < 3; i++) {
        app.collects = true;
        SSL_CTX_flush_sessions(ctx, 0);
        app.collects = false;
        say_removed();
        pass(40);
        come_back(ctx, session);
        say_counters(ctx);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"evictions", evictions},
    {"evictions-by-get", evictions_by_get},
    {"order", order},
    {"resizing", resizing},
    {"held", held},
    {"clearing", clearing},
    {"clearing-both", clearing_both},
    {"not-clearing", not_clearing},
    {"clearing-without-lookup", clearing_without_lookup},
    {"updating-time", updating_time},
    {"updating-time-by-adding", updating_time_by_adding},
    {"updating-time-by-get", updating_time_by_get},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
