/*
 * eaten.c - a server whose memory is limited, takes all of it, gives some back, and goes on.
 *
 * eaten as|data MEGABYTES SESSIONS FREED: adds so many sessions after so many KiB were freed.
 */
#include "../../c/lib/tls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct block {
    struct block *before;
    size_t size;
};

static struct block *taken;

static void take_all(void)
{
    size_t size = (size_t)64 << 20;
    while (size >= sizeof(struct block)) {
        struct block *block = malloc(size);
        if (!block) {
            size /= 2;
            continue;
        }
        *block = (struct block){taken, size};
        taken = block;
    }
}

static void give_back(size_t size)
{
    size_t freed = 0;
    while (taken && freed < size) {
        struct block *block = taken;
        taken = block->before;
        freed += block->size;
        free(block);
    }
}

/* NULL where there is no memory for it. */
static SSL_SESSION *made_up(long number)
{
    unsigned char id[32] = {0};
    SSL_SESSION *session = SSL_SESSION_new();
    memcpy(id, &number, sizeof number);
    if (session && SSL_SESSION_set1_id(session, id, sizeof id) &&
        SSL_SESSION_set1_master_key(session, id, sizeof id) &&
        SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) &&
        SSL_SESSION_set_time(session, (long)time(NULL)))
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

int main(int argc, char **argv)
{
    MUST(argc == 5);
    rlim_t bytes = (rlim_t)atol(argv[2]) << 20;
    struct rlimit limit = {bytes, bytes};
    MUST(setrlimit(strcmp(argv[1], "as") == 0 ? RLIMIT_AS : RLIMIT_DATA, &limit) == 0);

    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_CTX_sess_set_cache_size(ctx, 0); /* no limit */
    SSL_SESSION *session = NULL;
    const char *first = visit(ctx, client, &session, NULL);
    say("%s, %s", first, visit(ctx, client, &session, NULL));

    take_all();
    give_back((size_t)atol(argv[4]) << 10);
    for (long i = 1; i <= atol(argv[3]); i++) {
        SSL_SESSION *added = made_up(i);
        if (added)
            SSL_CTX_add_session(ctx, added);
        SSL_SESSION_free(added);
    }
    give_back((size_t)-1);
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_SESSION_free(session);
    session = NULL;
    first = visit(ctx, client, &session, NULL);
    say("%s, %s", first, visit(ctx, client, &session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
    return 0;
}
