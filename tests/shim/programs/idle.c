/* idle.c - secrets of tickets in a process that does nothing any more: GOSESS_TICKETS=shared. */
#define _GNU_SOURCE
#include "../../c/lib/tls.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define HOUR 3600
#define PATIENCE 60 /* seconds */

/* The clock of libssl and of the C half; the Go half asks the kernel. */
static _Atomic time_t shift;

static time_t real_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

time_t time(time_t *out)
{
    time_t now = real_time() + shift;
    if (out)
        *out = now;
    return now;
}

/* Serves one connection, and is idle from then on. */
static void serve_once(long timeout)
{
    SSL_CTX *server = new_server();
    SSL_SESSION *session;
    SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
    SSL_CTX_set_timeout(server, timeout);
    MUST(strcmp(full(server, &session, NULL), "full") == 0);
    SSL_SESSION_free(session);
}

static bool wait_for(bool (*happened)(void))
{
    for (int i = 0; i < PATIENCE * 100 && !happened(); i++)
        usleep(10 * 1000);
    return happened();
}

/* --- in the process --- */

#define SECRET 0x55 /* the bytes of a secret of the stand-in: the number of its period */

/* It looks without the lock that the bytes are written with. */
__attribute__((no_sanitize_thread, no_sanitize_address)) static bool
holds_secret(const volatile unsigned char *memory, size_t size)
{
    int alike = 0;
    for (size_t i = 0; i < size && alike < 32; i++)
        alike = memory[i] == SECRET ? alike + 1 : 0;
    return alike == 32;
}

/* Whether one lies in memory that is left out of core dumps, where all of them lie. */
static bool is_there(void)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[512];
    unsigned long from = 0, to = 0, begin, end;
    char rights[8];
    bool found = false;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3) {
            from = strncmp(rights, "rw-p", 4) == 0 && end - begin < 1 << 20 ? begin : 0;
            to = end;
        }
        if (from && strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd"))
            found |= holds_secret((const unsigned char *)from, to - from);
    }
    fclose(file);
    return found;
}

static bool is_gone(void)
{
    return !is_there();
}

static void memory(void)
{
    time_t hours = (SECRET - (real_time() / HOUR) % 256 + 256) % 256;
    shift = hours * HOUR;
    serve_once(300);
    say("while it lasts: %s", is_there() ? "there" : "gone");
    shift += 3L * HOUR;
    say("and then: %s", wait_for(is_gone) ? "zeroed" : "there");
}

/* --- in the store --- */

static const unsigned char *store;
static size_t store_size;

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    MUST(text);
    return atol(text);
}

static int records(void)
{
    long size = number_of("RECORD_SIZE"), end = number_of("RECORDS_END");
    int count = 0;
    for (long from = number_of("RECORDS_AT"); from < end; from += size) {
        const unsigned char *record = store + from;
        for (long at = 0; at < size; at++)
            if (record[at]) {
                count++;
                break;
            }
    }
    return count;
}

static bool one_is_left(void)
{
    return records() == 1;
}

/* One of two ends in some seconds: that of the period which begins at BEGINS. */
static void in_store(void)
{
    SSL_CTX_free(new_server()); /* with which the store is there */
    int file = open(getenv("STORE"), O_RDONLY | O_CLOEXEC);
    MUST(file >= 0);
    store_size = (size_t)lseek(file, 0, SEEK_END);
    store = mmap(NULL, store_size, PROT_READ, MAP_SHARED, file, 0);
    MUST(store != MAP_FAILED);
    shift = number_of("BEGINS") - real_time();
    serve_once(number_of("TIMEOUT"));
    say("%d records", records());
    say("and then: %s", wait_for(one_is_left) ? "one" : "as many");
}

static const struct scenario scenarios[] = {{"memory", memory}, {"store", in_store}};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
