/*
 * memory.c - a stand-in for the Go half: a table of sessions in one process. Compiled with
 *   -DABI=N            it is of that version
 *   -DSTART=N          starting it returns that
 *   -DSECONDS=N        it hangs that long before it is loaded
 *   -DWITHOUT_REMOVE   it lacks a function
 *   -DSOIL             its calls change errno
 *   -DFAULT            its first lookup writes where it must not
 *   -DOVERFLOW         its first lookup counts further than an int can
 *   -DRACE             its lookups race with each other
 */
#include "../../../shim.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
static const struct gosess_libssl *libssl;

/* Whether a thread's last removal was of something. Not a _Thread_local of a library that is
 * loaded late: LeakSanitizer stumbles over these. */
static pthread_key_t removed;
static char yes;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry {
    unsigned char id[ID_MAX];
    unsigned id_length;
    unsigned char *der;
    int der_length;
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
    libssl = start->libssl;
    pthread_key_create(&removed, NULL);
    if (START != 0)
        start->log(GOSESS_LOG_ERROR, GOSESS_CAUSE_STORE, "the stand-in will not start");
    return START;
}

bool gosess_core_owns_thread(pid_t thread)
{
    (void)thread;
    return false;
}

int gosess_core_open(const struct gosess_source *source)
{
    (void)source;
    return 1;
}

void gosess_core_close(int cache)
{
    (void)cache;
}

/* Where the real one would be in Go. */
static void inside(void *unused)
{
    (void)unused;
    sigset_t blocked;
    if (libssl->ASYNC_get_current_job())
        abort(); /* it would overrun the job's stack (L44) */
    if (pthread_sigmask(SIG_BLOCK, NULL, &blocked) != 0 || !sigismember(&blocked, SIGALRM))
        abort(); /* a handler would run on a goroutine's */
}

/* What holds in every call. */
static void enter(void)
{
    starter->in_go(inside, NULL);
#ifdef SOIL
    errno = EIO;
#endif
}

/* Of a session id, NULL where there is none. With lock. */
static struct entry *find(const unsigned char *id, unsigned length)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct entry *entry = &entries[i];
        if (entry->der && entry->id_length == length && memcmp(entry->id, id, length) == 0)
            return entry;
    }
    return NULL;
}

static void drop(struct entry *entry)
{
    libssl->CRYPTO_clear_free(entry->der, (size_t)entry->der_length, __FILE__, __LINE__);
    entry->der = NULL;
}

static int keep(SSL_SESSION *session)
{
    unsigned length;
    enter();
    const unsigned char *id = libssl->SSL_SESSION_get_id(session, &length);
    if (length == 0 || length > ID_MAX)
        return 0;
    pthread_mutex_lock(&lock);
    struct entry *entry = find(id, length);
    if (!entry)
        entry = &entries[next++ % ENTRIES];
    drop(entry);
    memcpy(entry->id, id, length);
    entry->id_length = length;
    entry->der_length = libssl->i2d_SSL_SESSION(session, &entry->der);
    pthread_mutex_unlock(&lock);
    return 1;
}

void gosess_core_new_session(SSL_SESSION *session, const struct gosess_scope *scope,
                             struct gosess_given *given)
{
    (void)scope, (void)given;
    keep(session);
}

void gosess_core_release(struct gosess_given *given, bool unproven)
{
    (void)given, (void)unproven;
}

int gosess_core_add_session(SSL_SESSION *session, const struct gosess_scope *scope)
{
    (void)scope;
    return keep(session);
}

SSL_SESSION *gosess_core_get_session(SSL *ssl, const unsigned char *id, int length,
                                     const struct gosess_scope *scope, struct gosess_given *given)
{
    (void)ssl, (void)scope, (void)given;
    enter();
#ifdef FAULT
    unsigned char *volatile space = malloc(8);
    space[8] = 1;
    free(space);
#endif
#ifdef OVERFLOW
    volatile int large = 0x7fffffff;
    large = large + 1;
#endif
#ifdef RACE
    lookups++;
#endif
    if (length <= 0 || length > ID_MAX)
        return NULL;
    pthread_mutex_lock(&lock);
    struct entry *entry = find(id, (unsigned)length);
    const unsigned char *at = entry ? entry->der : NULL;
    SSL_SESSION *session = entry ? libssl->d2i_SSL_SESSION(NULL, &at, entry->der_length) : NULL;
    pthread_mutex_unlock(&lock);
    return session;
}

#ifndef WITHOUT_REMOVE
void gosess_core_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    unsigned length;
    enter();
    const unsigned char *id = libssl->SSL_SESSION_get_id(session, &length);
    pthread_mutex_lock(&lock);
    struct entry *entry = find(id, length);
    if (entry)
        drop(entry);
    pthread_setspecific(removed, entry ? &yes : NULL);
    pthread_mutex_unlock(&lock);
}
#endif

static long number(void)
{
    long kept = 0;
    enter();
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < ENTRIES; i++)
        kept += entries[i].der != NULL;
    pthread_mutex_unlock(&lock);
    return kept;
}

long gosess_core_number(SSL_CTX *ctx)
{
    (void)ctx;
    return number();
}

void gosess_core_clear(int cache)
{
    (void)cache;
    enter();
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < ENTRIES; i++)
        drop(&entries[i]);
    pthread_mutex_unlock(&lock);
}

/* Sessions are kept until they are removed, or all are. */
void gosess_core_flush(SSL_CTX *ctx, int64_t before)
{
    (void)ctx;
    if (before == 0)
        gosess_core_clear(1);
}

void gosess_core_forget(SSL_CTX *ctx)
{
    (void)ctx;
}

void gosess_core_count(int cache, struct gosess_counts *counts)
{
    (void)cache;
    *counts = (struct gosess_counts){.entries = (uint64_t)number()};
}

void gosess_core_make_room(void)
{
}

void gosess_core_take_outcome(struct gosess_outcome *taken)
{
    *taken = (struct gosess_outcome){.removed = pthread_getspecific(removed) != NULL};
    pthread_setspecific(removed, NULL);
}
