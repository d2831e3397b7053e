/*
 * prepare.c - what is found and registered once, before the first context is attached.
 */
#define _GNU_SOURCE
#include "prepare.h"

#include <stdatomic.h>
#include <string.h>

#include "../base/locks.h"
#include "../base/log.h"
#include "../core/load.h"
#include "../core/sandbox.h"
#include "../ssl/hidden.h"
#include "../ssl/libssl.h"
#include "attach.h"
#include "cache.h"
#include "connection.h"
#include "context.h"
#include "der.h"
#include "stored.h"

static void log_text(enum gosess_log_level level, enum gosess_log_cause cause, const char *text)
{
    gosess_log(level, cause, "%s", text);
}

/* With the setup lock. False: out of memory. */
static bool set_libssl(const struct gosess_libssl *found)
{
    static struct gosess_libssl table;
    if (gosess_ssl)
        return true;
    table = *found;
    /* Of ex_data only the end of the objects is heard: see ssl/table.c. */
    if (!gosess_attach_prepare(&table) || !gosess_connection_prepare(&table) ||
        !gosess_stored_prepare(&table) || !gosess_hidden_prepare(&table))
        return false;
    gosess_core_prepare(&(struct gosess_start){
        .retain = table.SSL_SESSION_up_ref,
        .same_object = gosess_same_object,
        .same_bytes = gosess_same_bytes,
        .lock = gosess_lock,
        .unlock = gosess_unlock,
        .wait = gosess_lock_wait,
        .wait_until = gosess_lock_wait_until,
        .tidy = gosess_caches_tidy,
        .log = log_text,
        .current_job = table.ASYNC_get_current_job,
    });
    gosess_ssl = &table;
    return true;
}

/*
 * The libcrypto 1.1.1 of vendors that have a FIPS module in it ends a process that calls
 * SHA256_Init in FIPS mode. From 3.0 on there is no such function, and no such end: fips_module(7).
 */
static bool forbids_digests(const void *caller)
{
    int (*mode)(void);
    void *found = gosess_find("FIPS_mode", caller);
    memcpy(&mode, &found, sizeof mode);
    return found && mode() != 0;
}

/* Whether this host cannot be served, which the log says then. */
static bool is_lacking(struct gosess_libssl *found, const void *caller)
{
    const char *missing = gosess_find_libssl(found, caller);
    if (missing)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG,
                   "serving without a cache: the host's libssl has no %s; OpenSSL 1.1.1 or later "
                   "is needed",
                   missing);
    else if (forbids_digests(caller))
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG,
                   "serving without a cache: libcrypto is in FIPS mode, and before OpenSSL 3.0 it "
                   "ends who calls its digests");
    else
        return false;
    return true;
}

bool gosess_prepare(const void *caller)
{
    static _Atomic bool lacking;
    struct gosess_libssl found;
    if (gosess_ssl || atomic_load(&lacking) || !gosess_calls_allowed())
        return gosess_ssl;
    if (is_lacking(&found, caller)) {
        atomic_store(&lacking, true);
        return false;
    }
    gosess_find_all(caller);
    gosess_lock(GOSESS_LOCK_SETUP);
    bool set = set_libssl(&found);
    gosess_unlock(GOSESS_LOCK_SETUP);
    return set || gosess_fail_memory();
}
