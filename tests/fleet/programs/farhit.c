/*
 * farhit.c - farhit STORE KEYS ADDRESS PORT COUNT AGENT: how long a thread of a server waits for
 * what the far store has. It asks the agent of a store, and beside that the far store itself
 * through hiredis, as a server with a client of its own would, for the keys that a file names, in
 * base64 and after their prefix; by turns, 2,000 times a second, COUNT times each. Then it asks an
 * agent that is stopped meanwhile, to wait in vain.
 *
 * It prints quantiles in microseconds, and the processor time of this thread for one question.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>
#include <openssl/evp.h>

/* All of it, to begin anew after each wait in vain. */
#include "../../../shim/far/ask.c"

enum {
    EACH = 500000, /* nanoseconds from one question to the next: 2,000 a second */
    TURN = 100,    /* questions to one, and then to the other */
    KEYS = 4096,
    NAME = 64,
    PATIENT = 50, /* milliseconds */
    DEADLINE = 2,
};

static struct gosess_window *window;
static struct {
    char name[NAME];
    struct gosess_far far;
} keys[KEYS];
static size_t key_count;

__attribute__((noreturn)) static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static void map_window(const char *store)
{
    struct stat info;
    int fd = open(store, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
        fail(store);
    unsigned char *all =
        mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (all == MAP_FAILED)
        fail("mmap");
    window = (struct gosess_window *)(void *)(all + info.st_size - GOSESS_WINDOW_SIZE);
}

/* 22 letters of base64 for URLs are 16 bytes, after one more letter and two signs of equality. */
static void take_key(size_t number, const char *name)
{
    unsigned char bytes[18];
    char text[25] = "AAAAAAAAAAAAAAAAAAAAAA==";
    memcpy(text, strrchr(name, ':') + 1, 22);
    for (char *at = text; *at; at++)
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    if (EVP_DecodeBlock(bytes, (const unsigned char *)text, 24) != 18)
        fail(name);
    snprintf(keys[number].name, NAME, "%s", name);
    keys[number].far = (struct gosess_far){.operation = GOSESS_FAR_GET, .count = 1};
    memcpy(keys[number].far.keys[0], bytes, sizeof keys[number].far.keys[0]);
}

static void read_keys(const char *path)
{
    char line[NAME];
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path);
    while (key_count < KEYS && fscanf(file, "%63s", line) == 1)
        take_key(key_count++, line);
    fclose(file);
    if (key_count == 0)
        fail("no keys");
}

static bool ask_agent(size_t number)
{
    return gosess_far_ask(window, &keys[number].far, PATIENT) == GOSESS_FAR_HIT;
}

static redisContext *redis;

static bool ask_redis(size_t number)
{
    redisReply *reply = redisCommand(redis, "GET %s", keys[number].name);
    bool found = reply && reply->type == REDIS_REPLY_STRING;
    freeReplyObject(reply);
    return found;
}

static struct asked {
    const char *who;
    bool (*ask)(size_t number);
    int64_t *took, cpu;
    int count, found;
} asked[] = {{"agent", ask_agent, NULL, 0, 0, 0}, {"hiredis", ask_redis, NULL, 0, 0, 0}};

static void sleep_to(int64_t at)
{
    struct timespec until = {.tv_sec = at / SECOND, .tv_nsec = at % SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void ask_once(struct asked *one, size_t number)
{
    int64_t cpu = thread_ns(), began = now_ns();
    one->found += one->ask(number);
    one->took[one->count++] = now_ns() - began;
    one->cpu += thread_ns() - cpu;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report(const struct asked *one)
{
    qsort(one->took, (size_t)one->count, sizeof *one->took, by_value);
    printf("%s: %d of %d found", one->who, one->found, one->count);
    static const double quantiles[] = {0.5, 0.9, 0.99, 0.999};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        printf(", p%g %.0f us", quantiles[i] * 100,
               (double)one->took[(int)(one->count * quantiles[i])] / 1000);
    printf(", cpu %.1f us\n", (double)one->cpu / 1000 / one->count);
}

/* Asks, with the gate opened again before, as only the agent would do. */
static bool ask_nobody(size_t number)
{
    atomic_store(&window->lease, (uint64_t)(now_ns() + 2 * (int64_t)SECOND));
    atomic_store(&window->strikes, 0);
    atomic_fetch_or(&window->gate, GOSESS_GATE_OPEN);
    atomic_store(&silent_until, 0);
    return gosess_far_ask(window, &keys[number].far, DEADLINE) == GOSESS_FAR_HIT;
}

static void wait_in_vain(int count)
{
    struct asked nobody = {"in vain", ask_nobody, calloc((size_t)count, sizeof(int64_t)), 0, 0, 0};
    if (!nobody.took)
        fail("calloc");
    while (ask_nobody(0)) {
        /* The agent is about to stop. */
    }
    while (nobody.count < count)
        ask_once(&nobody, (size_t)nobody.count % key_count);
    report(&nobody);
    free(nobody.took);
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return fprintf(stderr, "usage: farhit STORE KEYS ADDRESS PORT COUNT AGENT\n"), 2;
    int count = atoi(argv[5]);
    map_window(argv[1]);
    read_keys(argv[2]);
    redis = redisConnect(argv[3], atoi(argv[4]));
    if (!redis || redis->err)
        fail("redisConnect");
    int64_t next = now_ns();
    for (size_t who = 0; who < 2; who++)
        if (!(asked[who].took = calloc((size_t)count, sizeof(int64_t))))
            fail("calloc");
    for (int i = 0; i < 2 * count; i++, next += EACH) {
        struct asked *one = &asked[i / TURN % 2];
        sleep_to(next);
        if (one->count < count)
            ask_once(one, (size_t)i % key_count);
    }
    for (size_t who = 0; who < 2; who++)
        report(&asked[who]);
    pid_t agent = atoi(argv[6]);
    if (kill(agent, SIGSTOP) != 0)
        fail("kill");
    wait_in_vain(count / 2);
    kill(agent, SIGCONT);
    return 0;
}
