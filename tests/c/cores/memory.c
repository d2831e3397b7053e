/*
 * memory.c - a stand-in for the Go half: a table of sessions in one process. Compiled with
 *   -DABI=N            it is of that version
 *   -DSTART=N          starting it returns that
 *   -DSECONDS=N        it hangs that long before it is loaded
 *   -DWITHOUT_SERVE    it lacks a function
 *   -DSOIL             its calls change errno
 *   -DFAULT            its first lookup writes where it must not
 *   -DOVERFLOW         its first lookup counts further than an int can
 *   -DRACE             its lookups race with each other
 *   -DTIDY             it has the C half tidy up all the time
 */
#include "../../../shim.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef ABI
#    define ABI GOSESS_CORE_ABI
#endif
#ifndef START
#    define START 0
#endif
#ifndef SECONDS
#    define SECONDS 0
#endif

#define ENTRIES 1024
#define ID_MAX 32

const unsigned gosess_core_abi = ABI;

static const struct gosess_start *starter;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry {
    unsigned char id[ID_MAX];
    unsigned id_length; /* 0: there is nothing in it */
    unsigned char *der; /* of a session that is shared */
    size_t der_length;
    SSL_SESSION *session; /* of one that is kept */
} entries[ENTRIES];
static unsigned next;

#ifdef RACE
static int lookups;
#endif

__attribute__((constructor)) static void hang(void)
{
    struct timespec left = {.tv_sec = SECONDS};
    while (nanosleep(&left, &left) != 0)
        ;
    setenv("STANDIN_LOADED", "yes", 1);
}

int gosess_core_start(const struct gosess_start *start)
{
    starter = start;
    if (START != 0)
        start->log(GOSESS_LOG_ERROR, GOSESS_CAUSE_STORE, "the stand-in will not start");
    return START;
}

_Noreturn void gosess_core_work(void)
{
    for (;;) {
#ifdef TIDY
        usleep(10 * 1000);
        starter->tidy();
#else
        pause();
#endif
    }
}

bool gosess_core_owns_thread(pid_t thread)
{
    (void)thread;
    return false;
}

/* Of a session id, NULL where there is none. With lock, as what follows. */
static struct entry *find(const struct gosess_request *request)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct entry *entry = &entries[i];
        if (entry->id_length > 0 && entry->id_length == request->id_length &&
            memcmp(entry->id, request->id, request->id_length) == 0)
            return entry;
    }
    return NULL;
}

static void leave(struct gosess_request *request, SSL_SESSION *session, bool silent)
{
    struct gosess_leaving *note = malloc(sizeof *note);
    if (!note)
        return;
    *note = (struct gosess_leaving){.session = session, .silent = silent};
    if (request->leaving)
        request->last->next = note;
    else
        request->leaving = note;
    request->last = note;
}

static void drop(struct gosess_request *request, struct entry *entry, bool silent)
{
    if (entry->der)
        memset(entry->der, 0, entry->der_length);
    free(entry->der);
    if (entry->session)
        leave(request, entry->session, silent);
    *entry = (struct entry){.id_length = 0};
}

/* An empty entry for the session of a request; NULL where its id is too long. */
static struct entry *make(struct gosess_request *request)
{
    struct entry *entry = find(request);
    if (request->id_length == 0 || request->id_length > ID_MAX)
        return NULL;
    if (!entry)
        entry = &entries[next++ % ENTRIES];
    drop(request, entry, true);
    memcpy(entry->id, request->id, request->id_length);
    entry->id_length = request->id_length;
    return entry;
}

static void share(struct gosess_request *request)
{
    unsigned char *der = malloc(request->der_length);
    struct entry *entry = der ? make(request) : NULL;
    if (!entry) {
        free(der);
        return;
    }
    memcpy(der, request->der, request->der_length);
    entry->der = der;
    entry->der_length = request->der_length;
    request->result = 1;
}

static void keep(struct gosess_request *request)
{
    struct entry *entry = find(request);
    if (entry && entry->session == request->session)
        return;
    entry = make(request);
    if (!entry)
        return;
    entry->session = request->session;
    request->result = 1;
}

static void look(struct gosess_request *request)
{
#ifdef FAULT
    unsigned char *volatile space = malloc(8);
    space[8] = 1;
    free(space);
#endif
#ifdef OVERFLOW
    volatile int large = 0x7fffffff;
    large = large + 1;
#endif
    struct entry *entry = find(request);
    if (entry && entry->session && starter->retain(entry->session))
        request->session = entry->session;
    if (!entry || !entry->der || entry->der_length > GOSESS_DER_SIZE)
        return;
    memcpy(request->der, entry->der, entry->der_length);
    request->der_length = entry->der_length;
    request->bound = true;
    memcpy(request->terms, request->scope->terms, sizeof request->terms);
    request->ends = (int64_t)time(NULL) + 300;
}

static void remove_one(struct gosess_request *request)
{
    struct entry *entry = find(request);
    if (!entry ||
        (entry->session ? !starter->same_object(request->session, entry->session)
                        : !starter->same_bytes(request->session, entry->der, entry->der_length)))
        return;
    request->removed = true;
    request->was = entry->session;
    entry->session = NULL;
    drop(request, entry, true);
}

static long number(void)
{
    long kept = 0;
    for (unsigned i = 0; i < ENTRIES; i++)
        kept += entries[i].id_length > 0;
    return kept;
}

static void clear(struct gosess_request *request, bool silent)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        drop(request, &entries[i], silent);
}

/* A secret of each period, which everybody could work out. */
static void secrets(struct gosess_request *request)
{
    struct gosess_wanted *wanted = request->wanted;
    int64_t number = wanted->now / wanted->period + 1;
    for (unsigned i = 0; i < 4; i++, number--) {
        struct gosess_secret *secret = &wanted->secrets[wanted->count++];
        memset(secret->value, (int)(number & 0xff), sizeof secret->value);
        secret->begins = number * wanted->period;
        secret->next = secret->begins + wanted->period;
        secret->ends = secret->next + wanted->keep;
        secret->seals = true;
    }
    request->result = 1;
}

/* What a name has led to last. */
static unsigned char route[GOSESS_DIGEST_SIZE];
static bool routed;

/* Sessions are kept until they are removed, or all are. */
static void serve(struct gosess_request *request)
{
    switch (request->operation) {
    case GOSESS_OPEN:
        request->result = 1;
        break;
    case GOSESS_SHARE:
        share(request);
        break;
    case GOSESS_FIND:
        look(request);
        break;
    case GOSESS_REMOVE:
        remove_one(request);
        break;
    case GOSESS_NUMBER:
        request->result = number();
        break;
    case GOSESS_COUNT:
        *request->stats = (struct gosess_stats){.entries = (uint64_t)number()};
        break;
    case GOSESS_FLUSH:
        if (request->before == 0)
            clear(request, false);
        break;
    case GOSESS_CLEAR:
        clear(request, true);
        break;
    case GOSESS_KEEP:
        keep(request);
        break;
    case GOSESS_SECRETS:
        secrets(request);
        break;
    case GOSESS_LEARN:
        memcpy(route, request->scope->terms, sizeof route);
        routed = true;
        break;
    case GOSESS_ROUTE:
        memcpy(request->terms, route, sizeof route);
        request->result = routed;
        break;
    default: /* nothing is to be done, or is asked by none of its programs */
        break;
    }
}

#ifndef WITHOUT_SERVE
static volatile unsigned char owner; /* of the context that was asked for last */

void gosess_core_serve(struct gosess_request *request)
{
#    ifdef RACE
    lookups++;
#    endif
    pthread_mutex_lock(&lock);
    /* As the Go half reads it: a context that has ended is seen under a sanitizer. */
    if (request->owner)
        owner = request->owner->random[0];
    serve(request);
    pthread_mutex_unlock(&lock);
#    ifdef SOIL
    errno = EIO;
#    endif
}
#endif
