/*
 * changed.c - what a host changes of a session when the handshake is over: libssl's cache has the
 * object itself, so the next lookup finds it changed.
 */
#include "../../c/lib/tls.h"

#include <string.h>
#include <time.h>

static SSL_CTX *server;

/* A session, still referenced by the host when its connection is over. */
static SSL_SESSION *made(SSL_SESSION **of_client)
{
    SSL_CTX *client = new_client();
    server = new_server();
    SSL_CTX_set_num_tickets(server, 1); /* so that the connection's session is the client's */
    SSL_CTX_set_timeout(server, 1000);
    struct connection c = open_connection(server, client, NULL, NULL);
    MUST(shake_hands(&c));
    SSL_SESSION *session = SSL_get1_session(c.server);
    *of_client = client_session(&c);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    return session;
}

/* What becomes of it; the client's is used once more, as its first use may have changed it. */
static void say_after(SSL_SESSION *session, SSL_SESSION *of_client)
{
    say("%s", again(server, of_client, NULL));
    say("then: %s", again(server, of_client, NULL));
    SSL_SESSION_free(session);
    SSL_SESSION_free(of_client);
    SSL_CTX_free(server);
}

static void timed_out(void)
{
    SSL_SESSION *of_client, *session = made(&of_client);
    SSL_SESSION_set_time(session, (long)time(NULL) - 10);
    SSL_SESSION_set_timeout(session, 5);
    say_after(session, of_client);
}

static void made_older(void)
{
    SSL_SESSION *of_client, *session = made(&of_client);
    SSL_SESSION_set_time(session, (long)time(NULL) - 2000);
    say_after(session, of_client);
}

/* Its timeout alone would be over. */
static void prolonged(void)
{
    SSL_SESSION *of_client, *session = made(&of_client);
    SSL_SESSION_set_timeout(session, 5000);
    SSL_SESSION_set_time(session, (long)time(NULL) - 2000);
    say_after(session, of_client);
}

/* nginx, in each step of a TLS 1.3 handshake: the time is now, and the end what it has been. */
static void restarted(void)
{
    SSL_SESSION *of_client, *session = made(&of_client);
    SSL_SESSION_set_time(session, (long)time(NULL) - 100);
    SSL_SESSION_set_timeout(session, 1100);
    say_after(session, of_client);
}

static void logged_out(void)
{
    static const unsigned char nobody[] = "logged out";
    SSL_SESSION *of_client, *session = made(&of_client);
    MUST(SSL_SESSION_set1_id_context(session, nobody, sizeof nobody));
    say_after(session, of_client);
}

static void logged_out_and_in(void)
{
    static const unsigned char nobody[] = "logged out";
    unsigned char before[SSL_MAX_SID_CTX_LENGTH];
    unsigned length;
    SSL_SESSION *of_client, *session = made(&of_client);
    memcpy(before, SSL_SESSION_get0_id_context(session, &length), sizeof before);
    MUST(SSL_SESSION_set1_id_context(session, nobody, sizeof nobody));
    MUST(SSL_SESSION_set1_id_context(session, before, length));
    say_after(session, of_client);
}

/* Nobody has the session under another id. */
static void renamed(void)
{
    static const unsigned char other[32] = "another id";
    SSL_SESSION *of_client, *session = made(&of_client);
    MUST(SSL_SESSION_set1_id(session, other, sizeof other));
    say_after(session, of_client);
}

static const char *alpn_of(const SSL_SESSION *session)
{
    static char protocol[16];
    const unsigned char *alpn = NULL;
    size_t length = 0;
    SSL_SESSION_get0_alpn_selected(session, &alpn, &length);
    MUST(length < sizeof protocol);
    memcpy(protocol, length ? alpn : (const unsigned char *)"", length);
    protocol[length] = '\0';
    return protocol;
}

/* What is on the session beside what libssl needs, in the connections that resume it. */
static void annotated(void)
{
    SSL_SESSION *of_client, *session = made(&of_client);
    SSL_CTX *client = new_client();
    MUST(SSL_SESSION_set1_ticket_appdata(session, "bob", 3) &&
         SSL_SESSION_set1_alpn_selected(session, (const unsigned char *)"http/1.1", 8) &&
         SSL_SESSION_set1_hostname(session, "a.test"));
    struct connection c = open_connection(server, client, of_client, NULL);
    MUST(shake_hands(&c));
    void *data = NULL;
    size_t length = 0;
    const SSL_SESSION *resumed = SSL_get_session(c.server);
    SSL_SESSION_get0_ticket_appdata(SSL_get_session(c.server), &data, &length);
    const char *name = SSL_SESSION_get0_hostname(resumed);
    say("%s: '%.*s', '%s', '%s'", outcome(&c), (int)length, length ? (char *)data : "",
        alpn_of(resumed), name ? name : "");
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    SSL_SESSION_free(session);
    SSL_SESSION_free(of_client);
    SSL_CTX_free(server);
}

/* The host logs out whom it finds resumed. */
static void out_when_resumed(void)
{
    SSL_SESSION *of_client, *session = made(&of_client);
    SSL_CTX *client = new_client();
    struct connection c = open_connection(server, client, of_client, NULL);
    MUST(shake_hands(&c));
    say("%s", outcome(&c));
    SSL_SESSION_set_time(SSL_get_session(c.server), (long)time(NULL) - 2000);
    SSL_SESSION *next = client_session(&c);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    SSL_SESSION_free(of_client);
    say_after(session, next);
}

/* --- what only has the id of the session --- */

/* Whatever can be changed of it. */
static void change_all(SSL_SESSION *other)
{
    static const unsigned char nobody[] = "logged out", id[32] = "another id", key[48] = "none";
    SSL_SESSION_set_timeout(other, 5);
    MUST(SSL_SESSION_set1_id_context(other, nobody, sizeof nobody) &&
         SSL_SESSION_set1_ticket_appdata(other, "bob", 3) &&
         SSL_SESSION_set1_master_key(other, key, sizeof key));
    SSL_SESSION_set_time(other, (long)time(NULL) - 2000);
    MUST(SSL_SESSION_set1_id(other, id, sizeof id));
}

static void copied(void)
{
    SSL_SESSION *of_client, *session = made(&of_client), *copy = SSL_SESSION_dup(session);
    MUST(copy);
    change_all(copy);
    SSL_SESSION_free(copy);
    say_after(session, of_client);
}

/* A client in the same process; it comes with an object that is as it was. */
static void of_client_too(void)
{
    SSL_SESSION *of_client, *session = made(&of_client), *offered = SSL_SESSION_dup(of_client);
    MUST(offered);
    change_all(of_client);
    SSL_SESSION_free(of_client);
    say_after(session, offered);
}

/* The server's object has ended, and another one lies where it was. */
static void in_its_place(void)
{
    enum { PLACES = 64 };
    SSL_SESSION *of_client, *session = made(&of_client), *copies[PLACES];
    uintptr_t place = (uintptr_t)session;
    int count = 0;
    SSL_SESSION_free(session);
    do
        MUST((copies[count] = SSL_SESSION_dup(of_client)));
    while ((uintptr_t)copies[count++] != place && count < PLACES);
    change_all(copies[count - 1]);
    while (count > 0)
        SSL_SESSION_free(copies[--count]);
    say_after(NULL, of_client);
}

static const struct scenario scenarios[] = {
    {"timed-out", timed_out},
    {"made-older", made_older},
    {"prolonged", prolonged},
    {"restarted", restarted},
    {"logged-out", logged_out},
    {"logged-out-and-in", logged_out_and_in},
    {"renamed", renamed},
    {"annotated", annotated},
    {"out-when-resumed", out_when_resumed},
    {"copied", copied},
    {"of-client", of_client_too},
    {"in-its-place", in_its_place},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
