/* url.h - the URL grammar of GOSESS_CACHE. */
#ifndef GOSESS_CONFIG_URL_H
#define GOSESS_CONFIG_URL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOSESS_SIZE_MIN (UINT64_C(1) << 20)
#define GOSESS_SIZE_MAX (UINT64_C(1) << 40)
#define GOSESS_SIZE_DEFAULT (UINT64_C(64) << 20)
#define GOSESS_WAIT_DEFAULT 2
#define GOSESS_WAIT_MAX 50

/* A kind of store. The Go half knows it by the name, too: capi/open.go. */
struct gosess_scheme {
    const char *name;
    /* It keeps objects, in each process for itself: nothing is opened before a fork, or sealed. */
    bool live;
};

/* A URL of GOSESS_CACHE, taken apart. Strings are empty where the URL is silent. */
struct gosess_url {
    const struct gosess_scheme *scheme;
    char path[PATH_MAX]; /* absolute; "" is an anonymous store */
    char keys[PATH_MAX]; /* ?keys=FILE, absolute */
    uint64_t size;       /* ?size=, in bytes; the default where not given */
    bool sized;          /* it is given */
    bool single_use;     /* ?single-use=tls13 */
    bool second_tier;    /* ?tier=second */
    bool fleet;          /* ?fleet */
    unsigned wait;       /* ?wait=, in milliseconds: for the agent of the fleet */
    bool waits;          /* it is given */
};

/*
 * Parses one URL: scheme ":" [path] ["?" option *("&" option)], an option being name ["=" value].
 * Touches no file. False and an error that names the offending word and what is
 * allowed in its place; *url is undefined then.
 */
bool gosess_url_parse(const char *text, struct gosess_url *url, char *error, size_t error_size);

#define GOSESS_FLEET_TEXT_SIZE 160

/* What the fleet means for handshakes; "" where the URL is that of none. */
void gosess_url_fleet_text(const struct gosess_url *url, char text[GOSESS_FLEET_TEXT_SIZE]);

#endif
