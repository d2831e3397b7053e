/* routes.c - what server names lead to, as a process keeps it: shim/tickets/routes.c itself. */
#include "../../c/lib/tls.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../../../shim/tickets/routes.h"

#define NOW 1000

static uint64_t word = 7, uses = 100; /* of the store, as it were */
static struct gosess_owner owner = {.random = "an owner"};
static struct gosess_routes *routes;

static struct gosess_scope scope_of(const char *name)
{
    return (struct gosess_scope){
        .owner = &owner,
        .server_name = name,
        .server_name_length = strlen(name),
        .generation = 1,
        .place = 2,
    };
}

/* Each name leads to terms of its own. */
static void terms_of(const char *name, unsigned char terms[GOSESS_DIGEST_SIZE])
{
    memset(terms, 0, GOSESS_DIGEST_SIZE);
    snprintf((char *)terms, GOSESS_DIGEST_SIZE, "terms of %s", name);
}

static void keep(const char *name)
{
    unsigned char terms[GOSESS_DIGEST_SIZE];
    struct gosess_scope scope = scope_of(name);
    const struct gosess_watch watch = {
        .word = &word, .value = 7, .clock = &uses, .since = 100, .span = 76, .until = NOW + 10};
    terms_of(name, terms);
    gosess_routes_keep(routes, &scope, terms, &watch);
}

static bool finds(const struct gosess_scope *scope, int64_t now)
{
    unsigned char terms[GOSESS_DIGEST_SIZE], want[GOSESS_DIGEST_SIZE];
    if (!gosess_routes_find(routes, scope, now, terms))
        return false;
    terms_of(scope->server_name, want);
    MUST(strncasecmp((char *)terms, (char *)want, sizeof want) == 0);
    return true;
}

static void begin(void)
{
    SSL_CTX_free(new_server()); /* which has the library find libssl */
    gosess_routes_free(routes);
    MUST(routes = gosess_routes_make());
}

static void holds(void)
{
    static char longest[257];
    struct gosess_owner another = {.random = "another"};
    struct gosess_scope scope = scope_of("a.test"), other = scope;
    begin();
    say("before: %d", finds(&scope, NOW));
    keep("a.test");
    say("known: %d, until its end: %d, after it: %d", finds(&scope, NOW), finds(&scope, NOW + 10),
        finds(&scope, NOW + 11));
    other.server_name = "A.Test";
    say("in capitals: %d", finds(&other, NOW));
    other.server_name = "b.test";
    say("another name: %d", finds(&other, NOW));
    other = scope;
    other.generation++;
    say("another generation: %d", finds(&other, NOW));
    other = scope;
    other.place++;
    say("another place: %d", finds(&other, NOW));
    other = scope;
    other.owner = &another;
    say("another owner: %d", finds(&other, NOW));
    uses = 176;
    say("after some uses of the set: %d", finds(&scope, NOW));
    uses = 177;
    say("after more: %d", finds(&scope, NOW));
    uses = 100;
    word = 8;
    say("changed in the store: %d", finds(&scope, NOW));
    word = 7;
    memset(longest, 'x', 256);
    keep(longest);
    other = scope_of(longest);
    say("too long: %d", finds(&other, NOW));
    gosess_routes_free(routes);
    routes = NULL;
}

/* Clients that make names up, four for each place that there is, between two uses of a good one. */
static void flood(void)
{
    struct gosess_scope good = scope_of("good.test");
    int found = 0;
    begin();
    keep("good.test");
    found += finds(&good, NOW);
    for (int i = 0; i < 20 * 4 * GOSESS_ROUTES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.test", i);
        struct gosess_scope made_up = scope_of(name);
        keep(name);
        finds(&made_up, NOW);
        if (i % GOSESS_ROUTES == 0)
            found += finds(&good, NOW);
    }
    say("the good one is found %d times of 81", found);
    gosess_routes_free(routes);
    routes = NULL;
}

static void *visitor(void *unused)
{
    for (int i = 0; i < 20000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.test", i * 7 % 1500);
        struct gosess_scope scope = scope_of(name);
        if (!finds(&scope, NOW))
            keep(name);
    }
    return unused;
}

static void threads(void)
{
    pthread_t thread[4];
    begin();
    for (int i = 0; i < 4; i++)
        MUST(pthread_create(&thread[i], NULL, visitor, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    say("each finds its own");
    gosess_routes_free(routes);
    routes = NULL;
}

static const struct scenario scenarios[] = {
    {"holds", holds}, {"flood", flood}, {"threads", threads}};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
