/* environment.c - the environment, read once. */
#define _GNU_SOURCE
#include "environment.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fork.h"
#include "../base/locks.h"
#include "../base/log.h"
#include "../base/once.h"
#include "../base/text.h"
#include "spelling.h"

#define CORE_NAME "libgosess-core.so"

#define MISSPELT UINT64_C(0x5350454c4c494e47) /* the sum of the one line that is said of it */

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define PERIOD_DEFAULT HOUR
#define PERIOD_MIN (5 * MINUTE)
#define PERIOD_MAX (24 * HOUR)

struct gosess_environment gosess_environment;
bool gosess_stateful, gosess_tickets_shared, gosess_tickets_override;
int64_t gosess_ticket_period = PERIOD_DEFAULT;

static bool incomplete; /* memory ran out when the library was loaded */
static char core_path[PATH_MAX];

/* Without memory it is set to nothing: not unset, which would mean something else. */
static char *copy_variable(const char *name)
{
    static char nothing[] = "";
    const char *value = secure_getenv(name);
    char *copy = value && *value ? strdup(value) : NULL;
    bool lost = value && *value && !copy;
    incomplete |= lost;
    return lost ? nothing : copy;
}

/*
 * Where the Go half lies if nothing else is said: beside this library, whatever links it was
 * loaded through. LD_PRELOAD may name us relative to a directory that the host leaves later, so
 * this is found out when the library is loaded; not with the setup lock, as the dynamic linker
 * has one too.
 */
static void find_core(void)
{
    Dl_info info;
    char file[PATH_MAX];
    if (dladdr((void *)&gosess_environment, &info) == 0 || !info.dli_fname ||
        !realpath(info.dli_fname, file))
        return;
    *strrchr(file, '/') = '\0';
    int n = snprintf(core_path, sizeof(core_path), "%s/" CORE_NAME, file);
    if (n < 0 || (size_t)n >= sizeof(core_path))
        core_path[0] = '\0';
}

static const struct {
    const char *name;
    char **value;
} variables[] = {
    {"GOSESS_CACHE", &gosess_environment.cache},
    {"GOSESS_TICKETS", &gosess_environment.tickets},
    {"GOSESS_TICKET_PERIOD", &gosess_environment.period},
    {"GOSESS_KEYS", &gosess_environment.keys},
    {"GOSESS_LOG", &gosess_environment.log},
    {"GOSESS_CORE", &gosess_environment.core},
};
#define VARIABLES (sizeof variables / sizeof *variables)

/*
 * A variable that is misspelt is not there, and nobody would hear of it. Only names that are nearly
 * one of ours count: Kubernetes sets variables like GOSESS_PORT where a service has the name
 * gosess.
 */
static void find_misspelt(void)
{
    for (char **entry = environ; entry && *entry && !gosess_environment.misspelt; entry++) {
        size_t length = strcspn(*entry, "=");
        for (size_t i = 0; i < VARIABLES; i++) {
            if (gosess_is_nearly(*entry, length, variables[i].name)) {
                gosess_environment.misspelt = strndup(*entry, length);
                gosess_environment.meant = variables[i].name;
            }
        }
    }
}

/*
 * nginx clears its environment while it configures, so it is read when the library is loaded.
 * In a program that asks for no cache, and has misspelt no variable, this is all that gosess ever
 * does by itself.
 */
__attribute__((constructor)) static void read_environment(void)
{
    for (size_t i = 0; i < VARIABLES; i++)
        *variables[i].value = copy_variable(variables[i].name);
    find_misspelt();
    if (!gosess_environment.core)
        find_core();
    incomplete |= !gosess_fork_prepare() || !gosess_locks_prepare();
}

void gosess_say_misspelt(void)
{
    char ignored[GOSESS_ERROR_SIZE];
    gosess_configure(ignored, sizeof(ignored)); /* where to */
    gosess_log_once(GOSESS_LOG_ERROR, MISSPELT, "variable %s is not read; allowed: %s",
                    gosess_environment.misspelt, gosess_environment.meant);
}

const char *gosess_core_path(void)
{
    return core_path;
}

static bool read_core(char *error, size_t error_size)
{
    const char *given = gosess_environment.core;
    if (given)
        snprintf(core_path, sizeof(core_path), "%s", given);
    if (core_path[0] == '/' && (!given || strlen(given) < sizeof(core_path)))
        return true;
    return gosess_fail(error, error_size,
                       "GOSESS_CORE: \"%s\" is not allowed; allowed: an "
                       "absolute path",
                       given ? given : "");
}

static bool read_tickets(char *error, size_t error_size)
{
    const char *given = gosess_environment.tickets;
    gosess_stateful = given && strcmp(given, "stateful") == 0;
    gosess_tickets_override = given && strcmp(given, "shared,override") == 0;
    gosess_tickets_shared = gosess_tickets_override || (given && strcmp(given, "shared") == 0);
    if (!given || gosess_stateful || gosess_tickets_shared || strcmp(given, "keep") == 0)
        return true;
    return gosess_fail(error, error_size,
                       "GOSESS_TICKETS: unknown value \"%s\"; allowed: keep, stateful, shared, "
                       "shared,override",
                       given);
}

/* Minutes or hours: 90m, 24h. */
static bool read_period(char *error, size_t error_size)
{
    const char *given = gosess_environment.period;
    if (!given)
        return true;
    int64_t value = 0;
    size_t digits = strspn(given, "0123456789");
    for (size_t i = 0; i < digits && value <= PERIOD_MAX; i++)
        value = 10 * value + (given[i] - '0');
    value *= strcmp(given + digits, "h") == 0   ? HOUR
             : strcmp(given + digits, "m") == 0 ? MINUTE
                                                : 0;
    if (value >= PERIOD_MIN && value <= PERIOD_MAX) {
        gosess_ticket_period = value;
        return true;
    }
    return gosess_fail(error, error_size,
                       "GOSESS_TICKET_PERIOD: \"%s\" is not allowed; allowed: 5m to 24h, in m or h",
                       given);
}

/* A service's user that cannot open the file shall not lose the cache for that. */
static bool open_log(char *error, size_t error_size)
{
    enum gosess_log_opened opened = gosess_log_open(gosess_environment.log, error, error_size);
    if (opened == GOSESS_LOG_ON_STDERR)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_LOG, "%s; logging to stderr", error);
    return opened != GOSESS_LOG_WRONG;
}

bool gosess_configure(char *error, size_t error_size)
{
    static struct gosess_once once = GOSESS_ONCE;
    if (incomplete)
        return gosess_fail(error, error_size, "out of memory");
    if (!gosess_once_begin(&once))
        return true;
    bool done = open_log(error, error_size) && read_tickets(error, error_size) &&
                read_period(error, error_size) && read_core(error, error_size);
    gosess_once_end(&once, done);
    return done;
}
