/*
 * prepare.c - what is found and registered once, before the first context is attached.
 */
#define _GNU_SOURCE
#include "../serve.h"

#include <errno.h>
#include <stdatomic.h>

/* Set, with what follows it, before the first context is attached. */
const struct gosess_libssl *_Atomic gosess_ssl;
static struct gosess_start start;

static struct gosess_context *context_of_ctx(const SSL_CTX *ctx)
{
    struct gosess_attached *context = gosess_attached(ctx);
    return context ? &context->core : NULL;
}

static void log_text(enum gosess_log_level level, enum gosess_log_cause cause, const char *text)
{
    gosess_log(level, cause, "%s", text);
}

bool gosess_load(void)
{
    return gosess_core_load(&start);
}

/* Of ex_data only the end of the objects is heard: see table.c. */
static bool make_indices(const struct gosess_libssl *table)
{
    return gosess_context_prepare(table) && gosess_connection_prepare(table);
}

bool gosess_fail_memory(void)
{
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG,
               "serving a context without a cache: out of memory");
    return false;
}

/* With the setup lock. */
static bool set_libssl(const struct gosess_libssl *found)
{
    static struct gosess_libssl table;
    if (gosess_ssl)
        return true;
    table = *found;
    if (!make_indices(&table))
        return gosess_fail_memory();
    gosess_core_prepare();
    start = (struct gosess_start){&table, context_of_ctx, gosess_gate_pass, log_text};
    gosess_ssl = &table;
    return true;
}

bool gosess_prepare(const void *caller)
{
    static _Atomic bool lacking;
    struct gosess_libssl found;
    if (gosess_ssl || atomic_load(&lacking) || !gosess_calls_allowed())
        return gosess_ssl;
    const char *missing = gosess_find_libssl(&found, caller);
    if (missing) {
        atomic_store(&lacking, true);
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG,
                   "serving without a cache: the host's libssl has no %s; OpenSSL 1.1.1 or later "
                   "is needed",
                   missing);
        return false;
    }
    gosess_find_all(caller);
    gosess_setup_lock();
    bool set = set_libssl(&found);
    gosess_setup_unlock();
    return set;
}

void gosess_load_ahead(const void *caller)
{
    int saved = errno;
    if (gosess_prepare(caller) && gosess_cache_of_environment())
        gosess_load();
    errno = saved;
}
