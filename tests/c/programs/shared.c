/* shared.c - hosts that give OpenSSL memory functions of their own. */
#define _GNU_SOURCE
#include "../lib/hosts.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define ARENA_SIZE (256UL << 20)

/* What all processes have: it only grows. */
static struct arena {
    _Atomic size_t used;
    SSL_CTX *_Atomic ctx;
    _Alignas(16) char bytes[];
} * arena;

static void *shared_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    size_t room = (size + 31) & ~(size_t)15;
    size_t at = atomic_fetch_add(&arena->used, room);
    MUST(at + room < ARENA_SIZE - sizeof *arena);
    *(size_t *)(void *)(arena->bytes + at) = size;
    return arena->bytes + at + 16;
}

static void shared_free(void *memory, const char *file, int line)
{
    (void)memory, (void)file, (void)line;
}

static void *shared_realloc(void *memory, size_t size, const char *file, int line)
{
    void *other = shared_malloc(size, file, line);
    if (memory) {
        size_t old = *(size_t *)(void *)((char *)memory - 16);
        memcpy(other, memory, old < size ? old : size);
    }
    return other;
}

static void *private_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(size);
}

static void private_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

static void *private_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return realloc(memory, size);
}

static void serve(void)
{
    SSL_SESSION *session;
    const char *first = full(arena->ctx, &session, NULL);
    say("%s, %s", first, again(arena->ctx, session, NULL));
    SSL_SESSION_free(session);
}

static void reload(void)
{
    SSL_CTX_free(arena->ctx);
    arena->ctx = new_server();
}

static void reload_and_serve(void)
{
    serve();
    reload();
    serve();
}

static void serve_and_free(void)
{
    serve();
    SSL_CTX_free(arena->ctx);
}

/* Each uses, replaces and frees what another one made. */
static void with_processes(void)
{
    arena->ctx = new_server();
    in_child(serve);
    in_child(reload_and_serve);
    in_child(reload_and_serve);
    in_child(serve_and_free);
    say_loaded("at the end");
}

static void make_arena(int kind)
{
    arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
    MUST(arena != MAP_FAILED);
}

static void shared(void)
{
    make_arena(MAP_SHARED);
    MUST(CRYPTO_set_mem_functions(shared_malloc, shared_realloc, shared_free) == 1);
    with_processes();
}

static void serve_alone(void)
{
    arena->ctx = new_server();
    serve();
    say_loaded("at the end");
    SSL_CTX_free(arena->ctx);
}

/* An arena of this process alone. */
static void own_arena(void)
{
    make_arena(MAP_PRIVATE);
    MUST(CRYPTO_set_mem_functions(shared_malloc, shared_realloc, shared_free) == 1);
    serve_alone();
}

static void own_functions(void)
{
    make_arena(MAP_PRIVATE);
    MUST(CRYPTO_set_mem_functions(private_malloc, private_realloc, private_free) == 1);
    serve_alone();
}

static const struct scenario scenarios[] = {
    {"shared", shared},
    {"own-arena", own_arena},
    {"own-functions", own_functions},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
