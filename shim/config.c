/* config.c - the environment, read once, and what it opened. */
#define _GNU_SOURCE
#include "internal.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CORE_NAME "libgosess-core.so"

/*
 * Copies of the variables: nginx clears its environment while it configures, so they are
 * read when the library is loaded.
 */
static struct {
    char *cache, *tickets, *keys, *log, *core;
    char directory[PATH_MAX]; /* where this library lies */
    pid_t pid;
} loaded;

static pthread_mutex_t setup = PTHREAD_MUTEX_INITIALIZER;
static enum { CONFIG_UNREAD, CONFIG_OPEN, CONFIG_FAILED } state; /* under setup */
static struct gosess_config config;

void gosess_setup_lock(void)
{
    pthread_mutex_lock(&setup);
}

void gosess_setup_unlock(void)
{
    pthread_mutex_unlock(&setup);
}

static char *copy_variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? strdup(value) : NULL;
}

/*
 * LD_PRELOAD may name us relative to a directory that the host leaves later, so the
 * directory is made absolute now.
 */
static void find_directory(void)
{
    Dl_info info;
    if (dladdr((void *)&loaded, &info) == 0 || !info.dli_fname)
        return;
    char working[PATH_MAX] = "";
    if (info.dli_fname[0] != '/' && !getcwd(working, sizeof working))
        return;
    const char *slash = strrchr(info.dli_fname, '/');
    int length = slash ? (int)(slash - info.dli_fname) : 0;
    int n = snprintf(loaded.directory, sizeof loaded.directory, "%s%s%.*s", working,
                     *working ? "/" : "", length, info.dli_fname);
    if (n < 0 || (size_t)n >= sizeof loaded.directory)
        loaded.directory[0] = '\0';
}

/* In a program that asks for no cache this is one getenv, and all that gosess ever does. */
__attribute__((constructor)) static void read_environment(void)
{
    loaded.cache = copy_variable("GOSESS_CACHE");
    if (!loaded.cache)
        return;
    loaded.tickets = copy_variable("GOSESS_TICKETS");
    loaded.keys = copy_variable("GOSESS_KEYS");
    loaded.log = copy_variable("GOSESS_LOG");
    loaded.core = copy_variable("GOSESS_CORE");
    loaded.pid = getpid();
    find_directory();
    pthread_atfork(gosess_setup_lock, gosess_setup_unlock, gosess_setup_unlock);
}

bool gosess_wanted(void)
{
    return loaded.cache != NULL;
}

bool gosess_forked(void)
{
    return getpid() != loaded.pid;
}

static bool find_core(char *error, size_t error_size)
{
    int n;
    if (loaded.core)
        n = snprintf(config.core_path, sizeof config.core_path, "%s", loaded.core);
    else
        n = snprintf(config.core_path, sizeof config.core_path, "%s/" CORE_NAME, loaded.directory);
    if (n > 0 && (size_t)n < sizeof config.core_path && config.core_path[0] == '/')
        return true;
    snprintf(error, error_size, "GOSESS_CORE: \"%s\" is not an absolute path",
             loaded.core ? loaded.core : "");
    return false;
}

static bool read_tickets(char *error, size_t error_size)
{
    config.stateful = loaded.tickets && strcmp(loaded.tickets, "stateful") == 0;
    if (!loaded.tickets || config.stateful || strcmp(loaded.tickets, "keep") == 0)
        return true;
    snprintf(error, error_size, "GOSESS_TICKETS: \"%s\" is not one of keep, stateful",
             loaded.tickets);
    return false;
}

static bool open_all(void)
{
    char error[GOSESS_ERROR_SIZE] = "", note[GOSESS_ERROR_SIZE] = "";
    bool ok = gosess_log_open(loaded.log, error, sizeof error) &&
              read_tickets(error, sizeof error) && find_core(error, sizeof error) &&
              gosess_url_parse(loaded.cache, &config.url, error, sizeof error) &&
              gosess_store_open(&config.url, loaded.keys ? loaded.keys : "", &config.store, note,
                                error, sizeof error);
    if (!ok)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG, "serving without a cache: %s", error);
    else if (*note)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG, "%s", note);
    return ok;
}

const struct gosess_config *gosess_config(void)
{
    if (!loaded.cache)
        return NULL;
    if (state == CONFIG_UNREAD)
        state = open_all() ? CONFIG_OPEN : CONFIG_FAILED;
    return state == CONFIG_OPEN ? &config : NULL;
}
