/* machines.h - two machines of a fleet in one process: each has a store of its own, which the agent
 * of the test serves, and the same certificate and key file. */
#ifndef GOSESS_TESTS_MACHINES_H
#define GOSESS_TESTS_MACHINES_H

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../../shim/far/window.h"
#include "../../api/programs/api.h"

struct machine {
    gosess_cache *cache;
    SSL_CTX *ctx;
    struct gosess_window *window;
};

static struct machine a, b;

/* STORE_A and STORE_B are the paths, OPTIONS what else the URLs have. */
static inline struct machine start(const char *variable, const char *fleet)
{
    struct machine machine = {0};
    struct stat status;
    char url[4096], error[GOSESS_ERROR_SIZE];
    const char *path = getenv(variable);
    snprintf(url, sizeof url, "shm:%s?size=1m&%s%s", path, fleet, getenv("OPTIONS"));
    if (gosess_cache_open(url, &machine.cache, error, sizeof error) != GOSESS_OK)
        give_up(__FILE__, __LINE__, error);
    machine.ctx = new_served(machine.cache);
    if (!*fleet)
        return machine;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    MUST(fd >= 0 && fstat(fd, &status) == 0);
    machine.window = mmap(NULL, GOSESS_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                          status.st_size - GOSESS_WINDOW_SIZE);
    MUST(machine.window != MAP_FAILED);
    close(fd);
    return machine;
}

static inline void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static inline uint64_t counted(const struct machine *machine, enum gosess_window_counter counter)
{
    return atomic_load(&machine->window->counters[counter]);
}

static inline void start_machines(int argc, char **argv)
{
    static const char fleet[] = "fleet&wait=50ms&";
    if (argc > 1 && strcmp(argv[1], "--tls1.3") == 0)
        tls_version = TLS1_3_VERSION;
    a = start("STORE_A", fleet);
    b = start("STORE_B", fleet);
    while (getenv("AGENT") && !(atomic_load(&a.window->gate) & atomic_load(&b.window->gate) & 1))
        nap();
}

#endif
