/* record.c - an application that says everything that it can see of the session cache. */
#define _GNU_SOURCE
#include "record.h"

#include "../../c/lib/hosts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

struct app app;

static bool shared;
static long spare;

/* --- scenarios --- */

static long live_before;

long live(void)
{
    return live_sessions() - live_before;
}

static struct {
    unsigned length;
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
} seen[4096];
static int seen_count;

static void begin_part(void)
{
    seen_count = 0;
    live_before = live_sessions();
    memset(&app, 0, sizeof app);
}

void part(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    app_forget();
    begin_part();
    say("-- %s", line);
}

static bool wanted(const char *name, int argc, char **argv)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return true;
        any = any || argv[i][0] != '-';
    }
    return !any;
}

static void configure(const char *argument)
{
    if (strcmp(argument, "--tls1.3") == 0)
        tls_version = TLS1_3_VERSION;
    else if (strcmp(argument, "--shared") == 0)
        shared = true;
    else if (strncmp(argument, "--spare=", 8) == 0)
        spare = atol(argument + 8);
    else
        MUST(argument[0] != '-' || strcmp(argument, "--tls1.2") == 0);
}

int record(int argc, char **argv, const struct scenario *scenarios, size_t count)
{
    live_sessions();
    for (int i = 1; i < argc; i++)
        configure(argv[i]);
    for (size_t i = 0; i < count; i++) {
        if (!wanted(scenarios[i].name, argc, argv))
            continue;
        long before = live_sessions();
        say("== %s", scenarios[i].name);
        begin_part();
        scenarios[i].run();
        app_forget();
        say("left: %ld sessions, error %lu", live_sessions() - before, ERR_peek_error());
    }
    return EXIT_SUCCESS;
}

/* --- time --- */

static long passed;

void pass(long seconds)
{
    passed += seconds;
}

/* libssl asks the executable's functions before those of libc: 3.0 and 1.1.1 the first, 3.5 the
 * second. */
time_t time(time_t *out)
{
    static time_t start;
    struct timespec now;
    if (start == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0)
        start = now.tv_sec;
    if (out)
        *out = start + passed;
    return start + passed;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    (void)zone;
    *out = (struct timeval){.tv_sec = time(NULL)};
    return 0;
}

/* --- session ids --- */

int serial(const unsigned char *id, unsigned length)
{
    MUST(length <= sizeof seen[0].id);
    for (int i = 0; i < seen_count; i++) {
        if (seen[i].length == length && memcmp(seen[i].id, id, length) == 0)
            return i + 1;
    }
    MUST((size_t)seen_count < sizeof seen / sizeof *seen);
    seen[seen_count].length = length;
    memcpy(seen[seen_count].id, id, length);
    return ++seen_count;
}

int serial_of(const SSL_SESSION *session)
{
    unsigned length = 0;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    return length == 0 ? 0 : serial(id, length);
}

/* --- the application's cache --- */

static SSL_SESSION *kept[1024];
static int kept_count;

static void keep(SSL_SESSION *session)
{
    MUST(session && (size_t)kept_count < sizeof kept / sizeof *kept);
    kept[kept_count++] = session;
}

SSL_SESSION *app_newest(void)
{
    return kept_count > 0 ? kept[kept_count - 1] : NULL;
}

void app_forget(void)
{
    while (kept_count > 0)
        SSL_SESSION_free(kept[--kept_count]);
}

static int find(const unsigned char *id, unsigned length)
{
    for (int i = kept_count - 1; i >= 0; i--) {
        unsigned own_length = 0;
        const unsigned char *own = SSL_SESSION_get_id(kept[i], &own_length);
        if (own_length == length && memcmp(own, id, length) == 0)
            return i;
    }
    return -1;
}

/* What another process would have: the same session as another object. */
static SSL_SESSION *copy_of(SSL_SESSION *session)
{
    unsigned char *der = NULL;
    int length = i2d_SSL_SESSION(session, &der);
    const unsigned char *at = der;
    MUST(length > 0);
    SSL_SESSION *copy = d2i_SSL_SESSION(NULL, &at, length);
    OPENSSL_free(der);
    return copy;
}

static const char *live_text(void)
{
    static char text[32];
    snprintf(text, sizeof text, ", live %ld", live());
    return shared ? "" : text;
}

int app_new(SSL *ssl, SSL_SESSION *session)
{
    if (!app.quiet)
        say("  new #%d on the %s, resumable %d%s", serial_of(session),
            SSL_is_server(ssl) ? "server" : "client", SSL_SESSION_is_resumable(session),
            live_text());
    if (app.on_new)
        app.on_new(ssl, session);
    if (app.keeping == KEEPS_REFERENCES)
        keep(session);
    else if (app.keeping == KEEPS_COPIES)
        keep(copy_of(session));
    return app.keeping == KEEPS_REFERENCES;
}

SSL_SESSION *app_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl;
    int at = find(id, (unsigned)length), before = *copy;
    SSL_SESSION *session = at < 0 ? NULL : kept[at];
    if (session && app.keeping == KEEPS_COPIES)
        session = copy_of(session);
    else if (session)
        MUST(SSL_SESSION_up_ref(session));
    if (session && app.change)
        session = app.change(session);
    if (session && app.giving != LENDS_SILENTLY)
        *copy = app.giving == LENDS;
    if (!app.quiet)
        say("  get #%d of %d bytes, copy %d: %s, copy %d%s", serial(id, (unsigned)length), length,
            before, session ? "found" : "none", *copy, live_text());
    if (session && app.giving != GIVES) {
        /* What is lent must live on. */
        if (app.keeping == KEEPS_COPIES)
            keep(session);
        else
            SSL_SESSION_free(session);
    }
    return session;
}

#define REMOVED_MAX 1024
static int removed[REMOVED_MAX], removed_count;

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void say_removed(void)
{
    char line[1000] = "";
    size_t used = 0;
    MUST(removed_count <= REMOVED_MAX);
    qsort(removed, (size_t)removed_count, sizeof *removed, compare);
    for (int i = 0; i < removed_count && used < sizeof line - 10; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, " #%d", removed[i]);
    if (!shared)
        say("  removed %d:%s", removed_count, line);
    removed_count = 0;
}

void app_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    unsigned length = 0;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    if (app.collects)
        removed[removed_count++ % REMOVED_MAX] = serial_of(session);
    else if (!app.quiet)
        say("  remove #%d, resumable %d%s", serial_of(session), SSL_SESSION_is_resumable(session),
            app.counts ? live_text() : "");
    if (app.on_remove)
        app.on_remove(ctx, session);
    int at = app.forgets ? find(id, length) : -1;
    if (at >= 0) {
        SSL_SESSION_free(kept[at]);
        kept[at] = kept[--kept_count];
    }
}

void use_callbacks(SSL_CTX *ctx, int which)
{
    SSL_CTX_sess_set_new_cb(ctx, which & NEW ? app_new : NULL);
    SSL_CTX_sess_set_get_cb(ctx, which & GET ? app_get : NULL);
    SSL_CTX_sess_set_remove_cb(ctx, which & REMOVE ? app_remove : NULL);
}

/* --- what can be read --- */

void set_size(SSL_CTX *ctx, long held)
{
    SSL_CTX_sess_set_cache_size(ctx, held > 0 ? held + spare : 0);
}

void say_settings(SSL_CTX *ctx)
{
    say("  mode %#lx, size %ld, timeout %ld, new %s, get %s, remove %s",
        SSL_CTX_get_session_cache_mode(ctx), SSL_CTX_sess_get_cache_size(ctx),
        SSL_CTX_get_timeout(ctx), SSL_CTX_sess_get_new_cb(ctx) == app_new ? "set" : "unset",
        SSL_CTX_sess_get_get_cb(ctx) == app_get ? "set" : "unset",
        SSL_CTX_sess_get_remove_cb(ctx) == app_remove ? "set" : "unset");
}

void say_counters(SSL_CTX *ctx)
{
    if (shared)
        return;
    say("  number %ld, connect %ld %ld %ld, accept %ld %ld %ld, hits %ld, from get %ld, "
        "misses %ld, timeouts %ld, full %ld, live %ld",
        SSL_CTX_sess_number(ctx), SSL_CTX_sess_connect(ctx), SSL_CTX_sess_connect_good(ctx),
        SSL_CTX_sess_connect_renegotiate(ctx), SSL_CTX_sess_accept(ctx),
        SSL_CTX_sess_accept_good(ctx), SSL_CTX_sess_accept_renegotiate(ctx), SSL_CTX_sess_hits(ctx),
        SSL_CTX_sess_cb_hits(ctx), SSL_CTX_sess_misses(ctx), SSL_CTX_sess_timeouts(ctx),
        SSL_CTX_sess_cache_full(ctx), live());
}

/* --- connections --- */

static const char *const endings[] = {"cleanly", "uncleanly", "with an alert"};

void want_another_hello(SSL_CTX *ctx)
{
    static int groups[] = {NID_secp384r1};
    MUST(SSL_CTX_ctrl(ctx, SSL_CTRL_SET_GROUPS, 1, groups));
}

/* Making a context takes longer than a handshake. */
static SSL_CTX *usual_client(void)
{
    static SSL_CTX *client;
    if (!client)
        client = new_client();
    SSL_CTX_up_ref(client);
    return client;
}

void meet(SSL_CTX *server, struct visit v)
{
    SSL_CTX *client = v.client ? v.client : client_name ? new_client() : usual_client();
    SSL_SESSION *none = NULL, **session = v.session ? v.session : &none;
    struct connection c = open_connection(server, client, *session, v.name);
    shake_hands(&c);
    if (!app.quiet)
        say("%s, to end %s", outcome(&c), endings[v.ending]);
    if (c.done && (v.replace || !*session)) {
        SSL_SESSION_free(*session);
        *session = client_session(&c);
    }
    if (v.meanwhile)
        v.meanwhile(&c);
    close_connection(&c, v.ending);
    if (!v.session)
        SSL_SESSION_free(none);
    if (!v.client)
        SSL_CTX_free(client);
}

SSL_SESSION *begin(SSL_CTX *server)
{
    SSL_SESSION *session = NULL;
    meet(server, (struct visit){.session = &session});
    return session;
}

void come_back_and(SSL_CTX *server, SSL_SESSION *session, enum ending ending)
{
    meet(server, (struct visit){.session = &session, .ending = ending});
}

void come_back(SSL_CTX *server, SSL_SESSION *session)
{
    come_back_and(server, session, CLEAN);
}

SSL_CTX *one_ticket(int callbacks)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_num_tickets(ctx, 1);
    use_callbacks(ctx, callbacks);
    return ctx;
}

SSL_SESSION *grabbed;

void grab(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    let_go();
    MUST(SSL_SESSION_up_ref(session));
    grabbed = session;
}

void let_go(void)
{
    SSL_SESSION_free(grabbed);
    grabbed = NULL;
}
