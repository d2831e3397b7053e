/*
 * isolation.c - who shares sessions with whom. Each scenario has two contexts that differ in
 * one thing, and says what becomes of a session of the first at the second.
 */
#include "../../c/lib/hosts.h"

#include <malloc.h>
#include <stdint.h>
#include <string.h>

static void say_shared(SSL_CTX *first, const char *first_name, SSL_CTX *second,
                       const char *second_name)
{
    SSL_SESSION *session;
    MUST(strcmp(full(first, &session, first_name), "full") == 0);
    say("%s", again(second, session, second_name));
    /* The other's request must not have cost the owner its session. */
    say("owner: %s", again(first, session, first_name));
    SSL_SESSION_free(session);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

static void verify(SSL_CTX *ctx, const char *first, const char *second)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    const char *names[] = {first, second};
    for (int i = 0; i < 2 && names[i]; i++) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate_of(names[i]));
        SSL_CTX_add_client_CA(ctx, certificate_of("announced"));
    }
}

static void alike(void)
{
    say_shared(new_server(), NULL, new_server(), NULL);
}

static void certificate(void)
{
    SSL_CTX *other = new_server();
    use_certificate(other, "another");
    say_shared(new_server(), NULL, other, NULL);
}

static void verify_mode(void)
{
    SSL_CTX *other = new_server();
    SSL_CTX_set_verify(other, SSL_VERIFY_PEER, NULL);
    say_shared(new_server(), NULL, other, NULL);
}

static void verify_strictness(void)
{
    SSL_CTX *first = new_server(), *second = new_server();
    verify(first, "one", NULL);
    verify(second, "one", NULL);
    SSL_CTX_set_verify(second, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, NULL);
    say_shared(first, NULL, second, NULL);
}

static void announced(void)
{
    SSL_CTX *first = new_server(), *second = new_server();
    verify(first, "one", NULL);
    verify(second, "one", NULL);
    SSL_CTX_add_client_CA(second, certificate_of("another"));
    say_shared(first, NULL, second, NULL);
}

static void trusted(void)
{
    SSL_CTX *first = new_server(), *second = new_server();
    verify(first, "one", NULL);
    verify(second, "two", NULL);
    say_shared(first, NULL, second, NULL);
}

static void trusted_alike(void)
{
    SSL_CTX *first = new_server(), *second = new_server();
    verify(first, "one", "two");
    verify(second, "two", "one");
    say_shared(first, NULL, second, NULL);
}

static void depth(void)
{
    SSL_CTX *first = new_server(), *second = new_server();
    verify(first, "one", NULL);
    verify(second, "one", NULL);
    SSL_CTX_set_verify_depth(second, 0);
    say_shared(first, NULL, second, NULL);
}

static void flags(void)
{
    SSL_CTX *first = new_server(), *second = new_server();
    verify(first, "one", NULL);
    verify(second, "one", NULL);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(second), X509_V_FLAG_CRL_CHECK);
    say_shared(first, NULL, second, NULL);
}

static void id_context(void)
{
    SSL_CTX *other = new_server();
    SSL_CTX_set_session_id_context(other, (const unsigned char *)"other", 5);
    say_shared(new_server(), NULL, other, NULL);
}

static void server_name(void)
{
    SSL_CTX *ctx = new_server();
    say_shared(ctx, "a.test", new_server(), "b.test");
}

static void no_server_name(void)
{
    say_shared(new_server(), "a.test", new_server(), NULL);
}

static void server_name_appears(void)
{
    say_shared(new_server(), NULL, new_server(), "a.test");
}

static void server_name_alike(void)
{
    say_shared(new_server(), "a.test", new_server(), "A.Test");
}

/*
 * A context that a host still configures while another one serves: with threads, or where
 * contexts are made on demand.
 */
static void configured_late(void)
{
    SSL_CTX *serving = new_server();
    SSL_CTX *first = SSL_CTX_new(TLS_server_method()), *second = SSL_CTX_new(TLS_server_method());
    SSL_SESSION *session;
    full(serving, &session, NULL);
    SSL_SESSION_free(session);
    SSL_CTX *late[] = {first, second};
    for (int i = 0; i < 2; i++) {
        SSL_CTX_set_max_proto_version(late[i], tls_version);
        SSL_CTX_set_options(late[i], SSL_OP_NO_TICKET);
        SSL_CTX_set_session_id_context(late[i], (const unsigned char *)"test", 4);
        use_certificate(late[i], i ? "another" : "server");
    }
    verify(second, "one", NULL);
    say_shared(first, NULL, second, NULL);
    SSL_CTX_free(serving);
}

/* A host that makes an SSL to look at the context's settings, before it has made them all. */
static void looked_at_early(void)
{
    SSL_CTX *first = SSL_CTX_new(TLS_server_method()), *second = SSL_CTX_new(TLS_server_method());
    SSL_free(SSL_new(first));
    SSL_free(SSL_new(second));
    SSL_CTX *late[] = {first, second};
    for (int i = 0; i < 2; i++) {
        SSL_CTX_set_max_proto_version(late[i], tls_version);
        SSL_CTX_set_options(late[i], SSL_OP_NO_TICKET);
        use_certificate(late[i], i ? "another" : "server");
    }
    say_shared(first, NULL, second, NULL);
}

/* A host that goes back and forth finds its sessions again, and what it was once is kept once. */
static void toggled(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session[2];
    size_t used = 0;
    for (int i = 0; i < 6; i++) {
        int which = i % 2;
        use_certificate(ctx, which ? "another" : "server");
        SSL_CTX_set_verify(ctx, which ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        if (i < 2)
            say("%d: %s", which, full(ctx, &session[which], NULL));
        say("%d: %s, the other's: %s", which, again(ctx, session[which], NULL),
            i == 0 ? "none" : again(ctx, session[!which], NULL));
    }
    for (int i = 0; i < 10000; i++) {
        if (i == 2)
            used = mallinfo2().uordblks;
        SSL_CTX_set_verify(ctx, i % 2 ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        SSL_free(SSL_new(ctx));
    }
    say("memory %s", mallinfo2().uordblks < used + (64 << 10) ? "flat" : "grown");
    SSL_SESSION_free(session[0]);
    SSL_SESSION_free(session[1]);
    SSL_CTX_free(ctx);
}

/*
 * What is replaced by another one of the same size and, where libc lets it, in the same place.
 * Nothing looks at what is set in between.
 */
#define SPARES 64

static void announce(SSL_CTX *ctx, const char *name)
{
    STACK_OF(X509_NAME) * names, *spare[SPARES];
    int spares = 0;
    uintptr_t before = (uintptr_t)SSL_CTX_get_client_CA_list(ctx);
    SSL_CTX_set_client_CA_list(ctx, NULL);
    while ((uintptr_t)(names = sk_X509_NAME_new_null()) != before && spares < SPARES)
        spare[spares++] = names;
    while (spares > 0)
        sk_X509_NAME_free(spare[--spares]);
    sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(certificate_of(name))));
    SSL_CTX_set_client_CA_list(ctx, names);
}

static void trust(SSL_CTX *ctx, const char *name)
{
    SSL_CTX_set_cert_store(ctx, X509_STORE_new());
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, certificate_of(name));
    SSL_CTX_set_cert_store(ctx, store);
}

static void say_replaced(void (*replace)(SSL_CTX *, const char *))
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session;
    certificate_of("one");
    certificate_of("two");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    replace(ctx, "one");
    full(ctx, &session, NULL);
    say("%s", again(ctx, session, NULL));
    replace(ctx, "two");
    say("replaced: %s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void names_replaced(void)
{
    say_replaced(announce);
}

static void store_replaced(void)
{
    say_replaced(trust);
}

/* --- between processes --- */

static SSL_CTX *changed;

static void change_certificate(void)
{
    use_certificate(changed, "another");
}

static void processes(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session = NULL;
    const char *first = visit_child(ctx, &session, NULL);
    SSL_SESSION *stored = SSL_SESSION_dup(session);
    say("%s", first);
    say("%s", visit_child(ctx, &session, NULL));
    changed = ctx;
    SSL_SESSION_free(session);
    session = stored;
    say("another certificate: %s", visit_child(ctx, &session, change_certificate));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* The first verification of a client changes the order of the trusted certificates. */
static void verifying_processes(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session = NULL;
    client_name = "zz";
    certificate_of(client_name);
    verify(ctx, "zz", "mm");
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate_of("aa"));
    for (int i = 0; i < 3; i++)
        say("%s", visit_child(ctx, &session, NULL));
    client_name = NULL;
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"alike", alike},
    {"certificate", certificate},
    {"verify-mode", verify_mode},
    {"verify-strictness", verify_strictness},
    {"announced", announced},
    {"trusted", trusted},
    {"trusted-alike", trusted_alike},
    {"depth", depth},
    {"flags", flags},
    {"id-context", id_context},
    {"server-name", server_name},
    {"no-server-name", no_server_name},
    {"server-name-appears", server_name_appears},
    {"server-name-alike", server_name_alike},
    {"configured-late", configured_late},
    {"looked-at-early", looked_at_early},
    {"toggled", toggled},
    {"names-replaced", names_replaced},
    {"store-replaced", store_replaced},
    {"processes", processes},
    {"verifying-processes", verifying_processes},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
