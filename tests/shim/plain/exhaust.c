/*
 * exhaust.c - memory that runs out for gosess: fails what it allocates, and what libssl, libcrypto
 * and libc allocate for it; not what the host does, or a callback of the host.
 *
 * EXHAUST_FUNCTIONS is a file of the functions of gosess that are meant, a line each: the library,
 * its first address and the one after its last. EXHAUST_PLACE is the place that the first
 * allocation fails at, from 1: places, which are chains of calls, are numbered as they are come to.
 * Two are one where they differ only in what is more than EXHAUST_DEPTH calls away from gosess.
 * EXHAUST_COUNT is how many allocations fail from there on, wherever. The program says when there
 * is memory again.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define FRAMES 100 /* deeper than libcrypto decodes */
#define FUNCTIONS_MAX 1000
#define PLACES_MAX 4096

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
extern char *__libc_stack_end; /* of the first thread */
int exhaust_stop(void);

static struct {
    char library[32];
    uintptr_t first, end;
} functions[FUNCTIONS_MAX];
static size_t function_count;

static const char *library, *library_end; /* libgosess.so, all of which calls go through */

static int wanted_place, wanted_count, wanted_depth;
static bool armed;
static _Thread_local bool busy;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for what follows */
static uint64_t places[PLACES_MAX];
static int place_count;
static _Atomic int failed;

enum owner { NOBODY, HOST, GOSESS };

static bool is_listed(const char *name, uintptr_t address)
{
    for (size_t i = 0; i < function_count; i++)
        if (address >= functions[i].first && address < functions[i].end &&
            strcmp(functions[i].library, name) == 0)
            return true;
    return false;
}

/* Who a return address belongs to. dladdr(3) would wait for a library that is being loaded. */
static enum owner owner_of(void *address)
{
    static const char *const between[] = {"exhaust.so", "libc.so", "ld-linux", "libssl.so",
                                          "libcrypto.so"};
    struct dl_find_object found;
    if (_dl_find_object((char *)address - 1, &found) != 0)
        return HOST;
    const char *name = basename(found.dlfo_link_map->l_name);
    for (size_t i = 0; i < sizeof between / sizeof *between; i++)
        if (strncmp(name, between[i], strlen(between[i])) == 0)
            return NOBODY;
    return is_listed(name, (uintptr_t)address - 1 - found.dlfo_link_map->l_addr) ? GOSESS : HOST;
}

/* Unwinding takes long, and most allocations are the host's: there is nothing of us on its stack.
 */
static bool may_be_of_gosess(void)
{
    const char *const *at = __builtin_frame_address(0);
    const char *end = gettid() == getpid() ? __libc_stack_end : (const char *)pthread_self();
    while ((const char *)at < end && (*at < library || *at >= library_end))
        at++;
    return (const char *)at < end;
}

/* 0 where it is not of gosess. Else what its chain of calls is known by, as far as that is
 * gosess's. */
static uint64_t place_of_allocation(void)
{
    void *frames[FRAMES];
    uint64_t place = 1;
    int depth = may_be_of_gosess() ? backtrace(frames, FRAMES) : 0;
    int innermost = 0;
    while (innermost < depth && owner_of(frames[innermost]) == NOBODY)
        innermost++;
    if (innermost == depth || owner_of(frames[innermost]) == HOST)
        return 0;
    int i = innermost > wanted_depth ? innermost - wanted_depth : 0;
    for (; i < depth && owner_of(frames[i]) != HOST; i++)
        place = (place ^ (uintptr_t)frames[i]) * 0x100000001b3; /* FNV */
    return place;
}

static bool is_to_fail(uint64_t place)
{
    int i = 0;
    while (i < place_count && places[i] != place)
        i++;
    if (i == place_count && place_count < PLACES_MAX)
        places[place_count++] = place;
    bool begun = failed > 0 || (wanted_place > 0 && i + 1 == wanted_place);
    if (!begun || failed >= wanted_count)
        return false;
    failed++;
    return true;
}

static bool fails(void)
{
    if (!armed || busy || (wanted_count > 0 && failed >= wanted_count))
        return false;
    int saved = errno;
    busy = true;
    uint64_t place = place_of_allocation();
    pthread_mutex_lock(&lock);
    bool failing = place != 0 && is_to_fail(place);
    pthread_mutex_unlock(&lock);
    busy = false;
    errno = failing ? ENOMEM : saved;
    return failing;
}

EXPORT void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t number, size_t size)
{
    return fails() ? NULL : __libc_calloc(number, size);
}

EXPORT void *realloc(void *block, size_t size)
{
    return fails() ? NULL : __libc_realloc(block, size);
}

/* The next definition of one of the functions below. */
static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    static __typeof__(&mmap) real;
    if (!real)
        *(void **)&real = next("mmap");
    return fails() ? MAP_FAILED : real(address, size, protection, flags, fd, offset);
}

/* What may not be locked, because the limit for that is used up. */
EXPORT int mlock(const void *address, size_t size)
{
    static __typeof__(&mlock) real;
    if (!real)
        *(void **)&real = next("mlock");
    return fails() ? -1 : real(address, size);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    static __typeof__(&pthread_create) real;
    if (!real)
        *(void **)&real = next("pthread_create");
    return fails() ? EAGAIN : real(thread, attributes, start, argument);
}

static int number_of(const char *variable)
{
    const char *value = getenv(variable);
    return value ? atoi(value) : 0;
}

static bool find_library(void)
{
    struct dl_find_object found;
    void *function = dlsym(RTLD_DEFAULT, "gosess_version");
    if (!function || _dl_find_object(function, &found) != 0)
        return false;
    library = found.dlfo_map_start;
    library_end = found.dlfo_map_end;
    return true;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("EXHAUST_FUNCTIONS");
    FILE *file = path ? fopen(path, "r") : NULL;
    void *frame;
    if (!file || !find_library())
        abort();
    while (function_count < FUNCTIONS_MAX &&
           fscanf(file, "%31s %zx %zx", functions[function_count].library,
                  &functions[function_count].first, &functions[function_count].end) == 3)
        function_count++;
    fclose(file);
    wanted_place = number_of("EXHAUST_PLACE");
    wanted_count = number_of("EXHAUST_COUNT");
    wanted_depth = number_of("EXHAUST_DEPTH");
    backtrace(&frame, 1); /* loads what it needs */
    armed = true;
}

/* There is memory again. How many allocations have failed; none: how many places there are,
 * negative. */
EXPORT int exhaust_stop(void)
{
    armed = false;
    return failed > 0 ? failed : -place_count;
}
