/* modes.h - the modes of SSL_CTX_set_session_cache_mode(3) that programs try. */
#ifndef GOSESS_TESTS_MODES_H
#define GOSESS_TESTS_MODES_H

#include <openssl/ssl.h>

static const struct {
    const char *name;
    long mode;
} modes[] = {
    {"off", SSL_SESS_CACHE_OFF},
    {"client", SSL_SESS_CACHE_CLIENT},
    {"server", SSL_SESS_CACHE_SERVER},
    {"both", SSL_SESS_CACHE_BOTH},
    {"server no-auto-clear", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR},
    {"server no-internal-lookup", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP},
    {"server no-internal-store", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE},
    {"server no-internal", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL},
    {"both no-internal", SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL},
    {"server update-time", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME},
    {"no-internal alone", SSL_SESS_CACHE_NO_INTERNAL},
    {"unknown bits", 0x7000 | SSL_SESS_CACHE_SERVER},
};

#endif
