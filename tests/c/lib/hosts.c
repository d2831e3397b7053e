/* hosts.c - a host's own session cache. */
#define _GNU_SOURCE
#include "hosts.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#define KEPT_MAX 64

struct host host;

static SSL_SESSION *kept[KEPT_MAX];
static char words[512];

void trace(const char *word)
{
    size_t used = strlen(words);
    if (!host.quiet)
        snprintf(words + used, sizeof words - used, "%s%s", used ? " " : "", word);
}

const char *host_trace(void)
{
    static char result[sizeof words];
    memcpy(result, *words ? words : "-", strlen(*words ? words : "-") + 1);
    *words = '\0';
    return result;
}

static SSL_SESSION **find(const unsigned char *id, unsigned length)
{
    for (int i = 0; i < KEPT_MAX; i++) {
        unsigned own_length = 0;
        const unsigned char *own = kept[i] ? SSL_SESSION_get_id(kept[i], &own_length) : NULL;
        if (own && own_length == length && memcmp(own, id, length) == 0)
            return &kept[i];
    }
    return NULL;
}

int host_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    trace("new");
    for (int i = 0; host.keeps && i < KEPT_MAX; i++) {
        if (!kept[i]) {
            kept[i] = session;
            return 1;
        }
    }
    return 0;
}

void host_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    unsigned length;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    SSL_SESSION **found = find(id, length);
    (void)ctx;
    trace(found ? "remove(known)" : "remove");
    if (found) {
        SSL_SESSION_free(*found);
        *found = NULL;
    }
}

SSL_SESSION *host_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl;
    SSL_SESSION **found = find(id, (unsigned)length);
    trace(found ? "get(hit)" : *copy == 1 ? "get" : "get(copy is not 1)");
    if (!found)
        return NULL;
    if (host.transfers) {
        SSL_SESSION_up_ref(*found);
        *copy = 0;
    }
    return *found;
}

void use_host_callbacks(SSL_CTX *ctx)
{
    SSL_CTX_sess_set_new_cb(ctx, host_new);
    SSL_CTX_sess_set_remove_cb(ctx, host_remove);
    SSL_CTX_sess_set_get_cb(ctx, host_get);
}

void host_forget(void)
{
    for (int i = 0; i < KEPT_MAX; i++) {
        SSL_SESSION_free(kept[i]);
        kept[i] = NULL;
    }
}

/* --- counting objects --- */

static _Atomic long live;

static void born(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent, (void)value, (void)data, (void)index, (void)argl, (void)argp;
    live++;
}

static void died(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent, (void)value, (void)data, (void)index, (void)argl, (void)argp;
    live--;
}

/* The dup function of 1.1.1 is declared otherwise. */
static int copied(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **value, int index,
                  long argl, void *argp)
{
    (void)to, (void)from, (void)value, (void)index, (void)argl, (void)argp;
    return 1;
}

/* As libcrypto has it, where the name alone leads to gosess. */
static __typeof__(&CRYPTO_get_ex_new_index) unseen_new_index(void)
{
    __typeof__(&CRYPTO_get_ex_new_index) found;
    Dl_info info;
    void *version = dlsym(RTLD_DEFAULT, "OpenSSL_version_num"); /* which is not in gosess */
    void *libcrypto = version && dladdr(version, &info) ? dlopen(info.dli_fname, RTLD_LAZY) : NULL;
    MUST(libcrypto);
    *(void **)&found = dlsym(libcrypto, "CRYPTO_get_ex_new_index");
    MUST(found);
    dlclose(libcrypto);
    return found;
}

long live_sessions(void)
{
    static int index = -1;
    if (index < 0)
        index = unseen_new_index()(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, born,
                                   (CRYPTO_EX_dup *)copied, died);
    MUST(index >= 0);
    return live;
}
