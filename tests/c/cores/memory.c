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

static const struct gosess_libssl *libssl;

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
    libssl = start->libssl;
    if (START != 0)
        start->log(GOSESS_LOG_ERROR, GOSESS_CAUSE_STORE, "the stand-in will not start");
    return START;
}

/* What holds in every call. */
static void enter(void)
{
    if (libssl->ASYNC_get_current_job())
        abort(); /* the real one would overrun the job's stack (L44) */
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

int gosess_core_new_session(SSL *ssl, SSL_SESSION *session)
{
    unsigned length;
    enter();
    const unsigned char *id = libssl->SSL_SESSION_get_id(session, &length);
    if (!libssl->SSL_is_server(ssl) || length == 0 || length > ID_MAX)
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
    return 0;
}

SSL_SESSION *gosess_core_get_session(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl;
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
    if (session)
        *copy = 0;
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
    pthread_mutex_unlock(&lock);
}
#endif
