/* calls.c - the functions that an application calls: add, remove, flush, free, and the getters. */
#define _GNU_SOURCE
#include "record.h"

#include <string.h>
#include <time.h>

/* --- add --- */

static void adding(void)
{
    static const long modes[] = {
        SSL_SESS_CACHE_OFF,
        SSL_SESS_CACHE_SERVER,
        SSL_SESS_CACHE_BOTH,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        part("mode %#lx", modes[i]);
        SSL_CTX *from = one_ticket(ALL), *ctx = one_ticket(ALL);
        SSL_CTX_set_session_cache_mode(ctx, modes[i]);
        app.on_new = grab;
        SSL_SESSION *session = begin(from);
        app.on_new = NULL;
        SSL_SESSION *copy = SSL_SESSION_dup(grabbed);
        SSL_CTX_sess_set_remove_cb(from, NULL);
        SSL_CTX_free(from);
        /* Its object is spent now, as whatever has left a cache is. */
        say("resumable: %d, the copy: %d", SSL_SESSION_is_resumable(grabbed),
            SSL_SESSION_is_resumable(copy));
        say("add the copy: %d", SSL_CTX_add_session(ctx, copy));
        say("again: %d", SSL_CTX_add_session(ctx, copy));
        say_counters(ctx);
        come_back(ctx, session);
        SSL_SESSION *other = SSL_SESSION_dup(copy);
        say("add another object: %d", SSL_CTX_add_session(ctx, other));
        say_counters(ctx);
        come_back(ctx, session);
        say("remove: %d", SSL_CTX_remove_session(ctx, session));
        say("again: %d", SSL_CTX_remove_session(ctx, session));
        come_back(ctx, session);
        say_counters(ctx);
        SSL_SESSION_free(other);
        SSL_SESSION_free(copy);
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        let_go();
        say("freed, live %ld", live());
    }
}

/* libssl resumes what was added, also where it had been removed before. */
static void adding_what_was_removed(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    app.on_new = grab;
    SSL_SESSION *session = begin(ctx);
    app.on_new = NULL;
    say("remove: %d", SSL_CTX_remove_session(ctx, grabbed));
    say("resumable: %d", SSL_SESSION_is_resumable(grabbed));
    say("add: %d", SSL_CTX_add_session(ctx, grabbed));
    say_counters(ctx);
    come_back(ctx, session);
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    let_go();
}

/* Sessions whose ids were never made by this server. */
static void adding_strange_ids(void)
{
    static const unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH] = "an id";
    static const unsigned lengths[] = {1, 31, 32};
    SSL_CTX *ctx = one_ticket(ALL);
    SSL_SESSION *session = begin(ctx);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        SSL_SESSION *copy = SSL_SESSION_dup(session);
        MUST(SSL_SESSION_set1_id(copy, id, lengths[i]));
        say("%u bytes: add %d", lengths[i], SSL_CTX_add_session(ctx, copy));
        say_counters(ctx);
        say("remove %d", SSL_CTX_remove_session(ctx, copy));
        say_counters(ctx);
        SSL_SESSION_free(copy);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* --- remove --- */

static void removing_unknown(void)
{
    SSL_CTX *ctx = one_ticket(ALL), *other = one_ticket(0);
    SSL_SESSION *session = begin(other);
    say("remove: %d", SSL_CTX_remove_session(ctx, session));
    say("resumable: %d", SSL_SESSION_is_resumable(session));
    SSL_SESSION_free(session);
    SSL_CTX_free(other);
    SSL_CTX_free(ctx);
}

/* The client's copy, and the very object. */
static void removing(void)
{
    for (int own = 0; own < 2; own++) {
        part("own %d", own);
        SSL_CTX *ctx = one_ticket(ALL);
        app.on_new = grab;
        SSL_SESSION *session = begin(ctx);
        app.on_new = NULL;
        say("remove: %d", SSL_CTX_remove_session(ctx, own ? grabbed : session));
        say("resumable: %d, the copy: %d", SSL_SESSION_is_resumable(grabbed),
            SSL_SESSION_is_resumable(session));
        say_counters(ctx);
        come_back(ctx, session);
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        let_go();
    }
}

/* The cache has the last reference, and the application a pointer. */
static SSL_SESSION *borrowed;

static void borrow(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    borrowed = session;
}

static void removing_the_last_reference(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    app.on_new = borrow;
    SSL_SESSION *session = begin(ctx);
    app.on_new = NULL;
    app.counts = true;
    say_counters(ctx);
    say("remove: %d", SSL_CTX_remove_session(ctx, borrowed));
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* --- flush --- */

static void flushing(void)
{
    static const struct {
        const char *name;
        long offset; /* from now; 0 is the time 0 */
    } times[] = {{"everything", 0}, {"now", -1}, {"in an hour", 3600}, {"in three hours", 10800}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        for (int which = 0; which <= REMOVE; which += REMOVE) {
            part("%s, callbacks %d", times[i].name, which);
            SSL_CTX *ctx = one_ticket(which | NEW);
            static const long timeouts[] = {5000, 100000, 1000, 20000, 2000};
            SSL_SESSION *sessions[5];
            for (int j = 0; j < 5; j++) {
                SSL_CTX_set_timeout(ctx, timeouts[j]);
                sessions[j] = begin(ctx);
            }
            say_counters(ctx);
            long now = (long)time(NULL);
            SSL_CTX_flush_sessions(ctx, times[i].offset ? now + times[i].offset : 0);
            say_counters(ctx);
            for (int j = 0; j < 5; j++) {
                say("timeout %ld", timeouts[j]);
                come_back(ctx, sessions[j]);
                SSL_SESSION_free(sessions[j]);
            }
            SSL_CTX_free(ctx);
            say("freed, live %ld", live());
        }
    }
}

static void flushing_nothing(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_CTX_flush_sessions(ctx, (long)time(NULL));
    say_counters(ctx);
    SSL_CTX_free(ctx);
}

/* --- free --- */

static void freeing_context_first(void)
{
    for (enum ending how = CLEAN; how <= ALERT; how++) {
        part("ending %d", how);
        SSL_CTX *ctx = one_ticket(ALL), *client = new_client();
        SSL_SESSION *session = begin(ctx);
        struct connection c = open_connection(ctx, client, session, NULL);
        SSL_CTX_free(ctx);
        say("freed by the application");
        shake_hands(&c);
        say("%s", outcome(&c));
        close_connection(&c, how);
        say("closed");
        SSL_SESSION_free(session);
        SSL_CTX_free(client);
    }
}

/* What the remove callback reads of a context that ends: its application's data. */
static int data_index;

static void free_data(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl,
                      void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    if (value) {
        *(bool *)value = false;
        say("  the context's data is freed");
    }
}

static void read_data(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)session;
    bool *there = SSL_CTX_get_ex_data(ctx, data_index);
    say("  the context's data is %s", there && *there ? "there" : "gone");
}

static void data_in_remove(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    bool there = true;
    MUST(SSL_CTX_set_ex_data(ctx, data_index, &there));
    app.on_remove = read_data;
    SSL_SESSION *session = begin(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* --- references of a connection's session --- */

/* Whether a context ends can be asked by trying to keep it: the first answer is no (L29). */
static void try_to_keep(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)session;
    int kept = SSL_CTX_up_ref(ctx);
    say("  kept: %d", kept);
    if (kept)
        SSL_CTX_free(ctx);
}

static void keeping_in_remove(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    app.on_remove = try_to_keep;
    SSL_SESSION_free(begin(ctx));
    SSL_CTX_flush_sessions(ctx, 0);
    for (int i = 0; i < 3; i++)
        SSL_SESSION_free(begin(ctx));
    app.collects = true;
    SSL_CTX_free(ctx);
    say_removed();
    say("freed, live %ld", live());
}

static void read_sessions(struct connection *c)
{
    SSL_SESSION *get = SSL_get_session(c->server), *get0 = SSL_get0_session(c->server);
    SSL_SESSION *get1 = SSL_get1_session(c->server);
    say("same %d, resumable %d, live %ld", get == get0 && get0 == get1,
        SSL_SESSION_is_resumable(get), live());
    SSL_SESSION_free(get1);
    say("is it the cache's: %d", get == grabbed);
    SSL_free(c->server);
    c->server = SSL_new(SSL_get_SSL_CTX(c->client));
    say("without the connection, live %ld", live());
}

static void getting(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    app.on_new = grab;
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 2; i++)
        meet(ctx, (struct visit){.session = &session, .replace = true, .meanwhile = read_sessions});
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    let_go();
    say("freed, live %ld", live());
}

static void keep_alive(struct connection *c)
{
    SSL_SESSION_free(grabbed);
    grabbed = SSL_get1_session(c->server);
}

/* A reference of one's own outlives the connection and the context. */
static void keeping_get1(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    SSL_SESSION *session = NULL;
    meet(ctx, (struct visit){.session = &session, .meanwhile = keep_alive});
    SSL_CTX_free(ctx);
    say("resumable %d, live %ld", SSL_SESSION_is_resumable(grabbed), live());
    let_go();
    SSL_SESSION_free(session);
}

/* --- the session id context --- */

/* A session id context that changes: the session is there, and not for this one. */
static void changing_id_context(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    SSL_SESSION *session = begin(ctx);
    MUST(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"new", 3));
    come_back(ctx, session);
    say_counters(ctx);
    MUST(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4));
    come_back(ctx, session);
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"adding", adding},
    {"adding-what-was-removed", adding_what_was_removed},
    {"adding-strange-ids", adding_strange_ids},
    {"removing", removing},
    {"removing-unknown", removing_unknown},
    {"removing-the-last-reference", removing_the_last_reference},
    {"flushing", flushing},
    {"flushing-nothing", flushing_nothing},
    {"freeing-context-first", freeing_context_first},
    {"data-in-remove", data_in_remove},
    {"keeping-in-remove", keeping_in_remove},
    {"getting", getting},
    {"keeping-get1", keeping_get1},
    {"changing-id-context", changing_id_context},
};

int main(int argc, char **argv)
{
    /* Before the first context, as applications make theirs. */
    data_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_data);
    MUST(data_index >= 0);
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
