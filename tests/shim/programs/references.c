/* references.c - who owns which session, and what the callbacks leave behind. */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

/* --- counts --- */

static void all_paths(long mode, bool keeps, bool transfers)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_SESSION *session;
    host = (struct host){.keeps = keeps, .transfers = transfers, .quiet = true};
    SSL_CTX_set_session_cache_mode(ctx, mode);
    use_host_callbacks(ctx);
    full(ctx, &session, NULL);
    again(ctx, session, NULL);
    again(ctx, session, "another.test"); /* found by nobody, or by the host alone */
    for (enum ending how = CLEAN; how <= ALERT; how++) {
        struct connection c = open_connection(ctx, client, session, NULL);
        shake_hands(&c);
        close_connection(&c, how);
    }
    struct connection unfinished = open_connection(ctx, client, session, NULL);
    SSL_do_handshake(unfinished.client);
    SSL_do_handshake(unfinished.server);
    close_connection(&unfinished, UNCLEAN);
    SSL_CTX_remove_session(ctx, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
    host_forget();
}

/* As a host that keeps something with its sessions: it gets objects of this process only. */
static void keeps_data(void)
{
    MUST(CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, NULL, NULL, NULL) >= 0);
}

static void counts(void)
{
    static const long modes[] = {
        SSL_SESS_CACHE_OFF,
        SSL_SESS_CACHE_SERVER,
        SSL_SESS_CACHE_BOTH,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
    };
    long before = live_sessions();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        for (int bits = 0; bits < 4; bits++) {
            all_paths(modes[i], bits & 1, bits & 2);
            say("mode %#lx, keeps %d, transfers %d: %ld left", modes[i], bits & 1, bits >> 1,
                live_sessions() - before);
        }
    }
}

/* --- leaks --- */

static long resident_kib(void)
{
    char line[256];
    long found = -1;
    FILE *status = fopen("/proc/self/status", "r");
    MUST(status);
    while (found < 0 && fgets(line, sizeof line, status))
        sscanf(line, "VmRSS: %ld", &found);
    fclose(status);
    return found;
}

static int resume(SSL_CTX *ctx, SSL_CTX *client, SSL_SESSION *session, int times)
{
    int resumed = 0;
    for (int i = 0; i < times; i++) {
        struct connection c = open_connection(ctx, client, session, NULL);
        shake_hands(&c);
        resumed += strcmp(outcome(&c), "resumed") == 0;
        close_connection(&c, CLEAN);
    }
    return resumed;
}

/* As many resumptions as TIMES says: nothing of them stays. */
static void leaks(void)
{
    int times = atoi(getenv("TIMES"));
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_SESSION *session;
    full(ctx, &session, NULL);
    resume(ctx, client, session, times / 5);
    long live = live_sessions(), resident = resident_kib();
    int resumed = resume(ctx, client, session, times - times / 5);
    say("%s resumed", resumed == times - times / 5 ? "all" : "not all");
    say("%ld more sessions", live_sessions() - live);
    /* The Go half's collector lets its memory breathe; 80,000 lost sessions are 50 MiB. */
    say("memory %s", resident_kib() - resident < 8192 ? "flat" : "grown");
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
    say("%ld left", live_sessions());
}

/* --- errno and the error queue --- */

/* What libssl itself holds, which the host is not told. */
static void *underneath(const char *getter)
{
    void *libssl = dlopen("libssl.so.3", RTLD_LAZY | RTLD_NOLOAD);
    MUST(libssl);
    void *found = dlsym(libssl, getter);
    MUST(found);
    dlclose(libssl);
    return found;
}

#define MARK 77

static void soil(void)
{
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, MARK);
    errno = MARK;
}

static void say_soiled(const char *what)
{
    int error = errno;
    bool first = ERR_GET_REASON(ERR_get_error()) == MARK;
    say("%s: errno %s, its error %s, %s more", what, error == MARK ? "kept" : "changed",
        first ? "kept" : "lost", ERR_peek_error() ? "some" : "none");
    ERR_clear_error();
}

/* The callbacks, called as libssl calls them. */
static void errors(void)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    int (*(*get_new)(SSL_CTX *))(SSL *, SSL_SESSION *);
    void (*(*get_remove)(SSL_CTX *))(SSL_CTX *, SSL_SESSION *);
    SSL_SESSION *(*(*get_get)(SSL_CTX *))(SSL *, const unsigned char *, int, int *);
    *(void **)&get_new = underneath("SSL_CTX_sess_get_new_cb");
    *(void **)&get_remove = underneath("SSL_CTX_sess_get_remove_cb");
    *(void **)&get_get = underneath("SSL_CTX_sess_get_get_cb");
    MUST(get_new(ctx) && get_remove(ctx) && get_get(ctx));

    SSL_CTX_set_num_tickets(ctx, 1);
    struct connection c = open_connection(ctx, client, NULL, NULL);
    shake_hands(&c);
    SSL_SESSION *session = SSL_get1_session(c.server);
    unsigned length;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    unsigned char unknown[64] = {1};
    int copy = 1;
    long live = live_sessions();

    soil();
    say("new returned %d", get_new(ctx)(c.server, session));
    soil();
    get_new(ctx)(c.server, session);
    say_soiled("new");
    soil();
    SSL_SESSION *found = get_get(ctx)(c.server, id, (int)length, &copy);
    say_soiled("get of a known id");
    say("found %d, copy %d", found != NULL, copy);
    SSL_SESSION_free(found);
    static const int lengths[] = {32, 0, 1, 31, 33, 64, -1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char what[32];
        copy = 1;
        soil();
        found = get_get(ctx)(c.server, unknown, lengths[i], &copy);
        snprintf(what, sizeof what, "get of %d bytes", lengths[i]);
        say_soiled(what);
        MUST(!found);
    }
    soil();
    get_remove(ctx)(ctx, session);
    say_soiled("remove");
    soil();
    get_remove(ctx)(ctx, session);
    say_soiled("remove again");
    say("%ld more sessions", live_sessions() - live);
    copy = 1;
    found = get_get(ctx)(c.server, id, (int)length, &copy);
    say("found %d", found != NULL);
    SSL_SESSION_free(found);
    SSL_SESSION_free(session);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

/* A miss in the middle of a handshake leaves SSL_get_error nothing to stumble over. */
static void want_read(void)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_SESSION *session;
    full(ctx, &session, NULL);
    SSL_CTX *other = new_server();
    use_certificate(other, "another");
    struct connection c = open_connection(other, client, session, NULL);
    SSL_do_handshake(c.client);
    int result = SSL_do_handshake(c.server);
    say("%s", SSL_get_error(c.server, result) == SSL_ERROR_WANT_READ ? "want read" : "error");
    close_connection(&c, UNCLEAN);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
    SSL_CTX_free(other);
}

static const struct scenario scenarios[] = {
    {"keeps-data", keeps_data}, {"counts", counts},       {"leaks", leaks},
    {"errors", errors},         {"want-read", want_read},
};

int main(int argc, char **argv)
{
    live_sessions();
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
