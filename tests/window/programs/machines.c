/* machines.c - what one machine of a fleet has made another one resumes, and what becomes of it. */
#define _GNU_SOURCE
#include <pthread.h>

#include "machines.h"

/* Until the agent has taken care of all that it was told. */
static void settle(void)
{
    for (const struct machine *each = &a;; each = &b) {
        const _Atomic uint64_t *head = (const void *)&each->window->head;
        while (atomic_load(head) != atomic_load(&each->window->tail))
            nap();
        if (each == &b)
            return;
    }
}

/* Of this test's agent it may be late where the machine is busy: then once more. */
static bool was_late(const struct machine *machine)
{
    static uint64_t seen;
    uint64_t before = seen;
    seen = counted(machine, GOSESS_WINDOW_TIMEOUTS) + counted(machine, GOSESS_WINDOW_ROBBED);
    return seen != before;
}

static bool resumes(const struct machine *machine, SSL_SESSION *session)
{
    was_late(machine);
    do
        if (RESUMED(again(machine->ctx, session, "one.test")))
            return true;
    while (was_late(machine));
    return false;
}

static bool removes(const struct machine *machine, SSL_SESSION *servers)
{
    was_late(machine);
    do
        if (gosess_remove_session(machine->ctx, servers) == GOSESS_OK)
            return true;
    while (was_late(machine));
    return false;
}

/* What one machine has made, the other one resumes: at first from far, and then from its own store.
 */
static void shared(void)
{
    SSL_SESSION *session;
    MUST(FULL(full(a.ctx, &session, "one.test")));
    settle();
    MUST(FULL(again(b.ctx, session, "other.test")));
    MUST(resumes(&b, session));
    uint64_t before = counted(&b, GOSESS_WINDOW_HITS);
    MUST(before == 1 || was_late(&b)); /* of whatever name */
    for (int i = 0; i < 3; i++)
        MUST(RESUMED(again(b.ctx, session, "one.test")));
    MUST(RESUMED(again(a.ctx, session, "one.test")));
    MUST(counted(&b, GOSESS_WINDOW_HITS) == before && counted(&a, GOSESS_WINDOW_HITS) == 0);
    SSL_SESSION_free(session);
    say("shared");
}

/* A session that no machine has is asked for, and the handshake is a full one. */
static void unknown(void)
{
    SSL_CTX *stranger = new_server();
    gosess_cache_detach(stranger);
    SSL_SESSION *session;
    MUST(FULL(full(stranger, &session, NULL)));
    MUST(FULL(again(b.ctx, session, NULL)));
    /* And then for news of the sealing keys, when that handshake's session was stored. */
    MUST(counted(&b, GOSESS_WINDOW_MISSED) == 2 || was_late(&b));
    SSL_SESSION_free(session);
    SSL_CTX_free(stranger);
    say("unknown");
}

/* The server's own object of a session that A has made. */
static SSL_SESSION *made_at_a(SSL_SESSION **clients)
{
    SSL_CTX *client = new_client();
    struct connection connection = open_connection(a.ctx, client, NULL, "one.test");
    MUST(shake_hands(&connection));
    SSL_SESSION *servers = SSL_get1_session(connection.server);
    *clients = client_session(&connection);
    close_connection(&connection, CLEAN);
    SSL_CTX_free(client);
    settle();
    return servers;
}

/* B removes what A has made: B's store does not have it. */
static void removed(void)
{
    SSL_SESSION *clients, *servers = made_at_a(&clients);
    MUST(removes(&b, servers));
    settle();
    MUST(FULL(again(a.ctx, clients, "one.test")));
    MUST(FULL(again(b.ctx, clients, "one.test")));
    MUST(gosess_remove_session(b.ctx, servers) == GOSESS_NOT_FOUND);
    SSL_SESSION_free(clients);
    SSL_SESSION_free(servers);
    say("removed");
}

static void flushed(void)
{
    SSL_SESSION *clients, *servers = made_at_a(&clients);
    MUST(resumes(&b, clients));
    settle();
    MUST(gosess_cache_flush(b.cache) == GOSESS_OK);
    settle();
    MUST(FULL(again(a.ctx, clients, "one.test")));
    MUST(FULL(again(b.ctx, clients, "one.test")));
    SSL_SESSION_free(clients);
    SSL_SESSION_free(servers);
    say("flushed");
}

/* The owner of a context's sessions is known on every machine that has them. */
static void context_flushed(void)
{
    SSL_SESSION *clients, *servers = made_at_a(&clients);
    MUST(resumes(&b, clients));
    settle();
    SSL_CTX_flush_sessions(a.ctx, 0);
    settle();
    MUST(FULL(again(a.ctx, clients, "one.test")));
    MUST(FULL(again(b.ctx, clients, "one.test")));
    SSL_SESSION_free(clients);
    SSL_SESSION_free(servers);
    say("context flushed");
}

/* --- single use --- */

/* Just one of two has it; where the agent was late nobody may. */
static void resumes_once(const struct machine *machine, SSL_SESSION *session)
{
    was_late(machine);
    int times = RESUMED(again(machine->ctx, session, "one.test"));
    times += RESUMED(again(machine->ctx, session, "one.test"));
    MUST(times == 1 || (times == 0 && was_late(machine)));
}

static void once(void)
{
    SSL_SESSION *session;
    MUST(FULL(full(a.ctx, &session, "one.test")));
    settle();
    MUST(FULL(again(b.ctx, session, "other.test"))); /* which leaves it for others */
    settle();
    resumes_once(&a, session);
    MUST(FULL(again(b.ctx, session, "one.test")));
    SSL_SESSION_free(session);
    MUST(FULL(full(a.ctx, &session, "one.test")));
    settle();
    resumes_once(&b, session);
    MUST(FULL(again(a.ctx, session, "one.test"))); /* although it is near */
    SSL_SESSION_free(session);
    say("once");
}

#define RACES 200

static SSL_SESSION *raced[RACES];
static _Atomic int resumed[RACES];
static pthread_barrier_t together;

static void *race(void *machine)
{
    for (int i = 0; i < RACES; i++) {
        pthread_barrier_wait(&together);
        if (RESUMED(again(((struct machine *)machine)->ctx, raced[i], "one.test")))
            atomic_fetch_add(&resumed[i], 1);
    }
    return NULL;
}

/* Of two machines that are offered a session at the same moment just one has it. */
static void raced_for(void)
{
    pthread_t threads[2];
    for (int i = 0; i < RACES; i++)
        MUST(FULL(full(i % 2 ? a.ctx : b.ctx, &raced[i], "one.test")));
    settle();
    pthread_barrier_init(&together, NULL, 2);
    MUST(pthread_create(&threads[0], NULL, race, &a) == 0);
    MUST(pthread_create(&threads[1], NULL, race, &b) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    bool late = counted(&a, GOSESS_WINDOW_TIMEOUTS) + counted(&b, GOSESS_WINDOW_TIMEOUTS) > 0;
    for (int i = 0; i < RACES; i++) {
        MUST(resumed[i] == 1 || (late && resumed[i] == 0));
        SSL_SESSION_free(raced[i]);
    }
    say("raced for");
}

/* --- tickets --- */

/* With GOSESS_TICKETS=shared a ticket of one machine is opened by the other: they have one secret.
 */
static void tickets(void)
{
    SSL_SESSION *sessions[2];
    for (const struct machine *each = &a; each; each = each == &a ? &b : NULL)
        SSL_CTX_clear_options(each->ctx, SSL_OP_NO_TICKET);
    MUST(FULL(full(a.ctx, &sessions[0], "one.test")));
    settle();
    was_late(&b);
    MUST(RESUMED(again(b.ctx, sessions[0], "one.test")) || was_late(&b));
    MUST(FULL(full(b.ctx, &sessions[1], "one.test")));
    MUST(RESUMED(again(a.ctx, sessions[1], "one.test")) || counted(&b, GOSESS_WINDOW_TIMEOUTS) > 0);
    MUST(counted(&b, GOSESS_WINDOW_HITS) == 1 || counted(&b, GOSESS_WINDOW_TIMEOUTS) > 0);
    MUST(stats_of(a.cache).stores == 0);
    for (int i = 0; i < 2; i++)
        SSL_SESSION_free(sessions[i]);
    say("tickets");
}

/* Without an agent each machine makes its own. */
static void tickets_alone(void)
{
    SSL_SESSION *session;
    SSL_CTX_clear_options(a.ctx, SSL_OP_NO_TICKET);
    MUST(FULL(full(a.ctx, &session, "one.test")));
    MUST(RESUMED(again(a.ctx, session, "one.test")));
    SSL_SESSION_free(session);
    say("tickets alone");
}

/* --- sealing keys --- */

static void change_keys(const char *command)
{
    char line[8192];
    snprintf(line, sizeof line, "%s keys %s %s shm:%s >/dev/null", getenv("GOSESS"), command,
             getenv("KEYS"), getenv("STORE_A"));
    MUST(system(line) == 0);
    settle();
}

/* B asks, when it stores something, for what has become of the keys at A, of which it has no news.
 */
static void hear_of_keys(void)
{
    SSL_SESSION *any;
    MUST(FULL(full(b.ctx, &any, "one.test")));
    SSL_SESSION_free(any);
}

static void keys(void)
{
    SSL_SESSION *before, *after;
    MUST(FULL(full(a.ctx, &before, "one.test")));
    settle();
    change_keys("rotate");
    change_keys("drop");
    hear_of_keys(); /* of the new one */
    hear_of_keys(); /* that the old one has gone */
    MUST(FULL(full(a.ctx, &after, "one.test")));
    MUST(FULL(again(a.ctx, before, "one.test")));
    settle();
    bool late = counted(&b, GOSESS_WINDOW_TIMEOUTS) > 0; /* it asks again in an hour */
    MUST(late || (resumes(&b, after) && FULL(again(b.ctx, before, "one.test"))));
    SSL_SESSION_free(before);
    SSL_SESSION_free(after);
    say("keys");
}

/* --- without an agent --- */

/* The own sessions of each machine are resumed, and nobody waits. */
static void alone(void)
{
    SSL_SESSION *session;
    MUST(FULL(full(a.ctx, &session, "one.test")));
    MUST(RESUMED(again(a.ctx, session, "one.test")));
    MUST(FULL(again(b.ctx, session, "one.test")));
    for (int i = 0; i < GOSESS_WINDOW_COUNTERS; i++)
        MUST(counted(&a, i) == 0 && counted(&b, i) == 0);
    SSL_SESSION_free(session);
    say("alone");
}

/* What may be used once may have been used elsewhere. */
static void once_alone(void)
{
    SSL_SESSION *session;
    MUST(FULL(full(a.ctx, &session, "one.test")));
    MUST(FULL(again(a.ctx, session, "one.test")));
    SSL_SESSION_free(session);
    say("once alone");
}

/* An agent that is stopped costs five waits, and no handshake. */
static void stopped(void)
{
    SSL_SESSION *session;
    MUST(FULL(full(a.ctx, &session, "one.test")));
    for (int i = 0; i < 20; i++)
        MUST(FULL(again(b.ctx, session, "one.test")));
    MUST(RESUMED(again(a.ctx, session, "one.test")));
    /* One of the process's was at A, for news of the sealing keys. */
    uint64_t at_a = counted(&a, GOSESS_WINDOW_TIMEOUTS), at_b = counted(&b, GOSESS_WINDOW_TIMEOUTS);
    MUST(at_b <= GOSESS_STRIKES_MAX && at_a + at_b >= GOSESS_STRIKES_MAX && at_a <= 1);
    SSL_SESSION_free(session);
    say("stopped");
}

int main(int argc, char **argv)
{
    const struct scenario scenarios[] = {
        {"shared", shared},
        {"unknown", unknown},
        {"removed", removed},
        {"flushed", flushed},
        {"context-flushed", context_flushed},
        {"once", once},
        {"raced-for", raced_for},
        {"tickets", tickets},
        {"tickets-alone", tickets_alone},
        {"keys", keys},
        {"alone", alone},
        {"once-alone", once_alone},
        {"stopped", stopped},
    };
    start_machines(argc, argv);
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
