/* tls.c - one connection over libssl: see tls.h. */
#include "tls.h"
#include "functions.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SESSIONS = 16, /* that are kept of one connection */
};

struct probe {
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    SSL_SESSION *sessions[MAX_SESSIONS];
    int count;
    bool wants_certificate;
    char error[160];
};

const char *probe_libssl(void)
{
    return probe_ssl.OpenSSL_version(OPENSSL_VERSION);
}

/* In TLS 1.2 once, when a full handshake ends; in TLS 1.3 for each ticket. */
static int on_new(SSL *ssl, SSL_SESSION *session)
{
    struct probe *probe = probe_ssl.SSL_get_ex_data(ssl, 0);
    if (probe == NULL || probe->count == MAX_SESSIONS)
        return 0;
    probe->sessions[probe->count++] = session; /* with the reference: SSL_CTX_sess_set_new_cb(3) */
    return 1;
}

/* Keeps why the last call has failed, in libssl's words where it has any. */
static void keep_error(char *error, size_t size, const char *otherwise)
{
    const char *reason = NULL;
    unsigned long code = probe_ssl.ERR_peek_last_error();
    if (code != 0)
        reason = probe_ssl.ERR_reason_error_string(code);
    snprintf(error, size, "%s", reason != NULL ? reason : otherwise);
    probe_ssl.ERR_clear_error();
}

/* The server asks for a certificate: it is told that there is none. */
static int on_wanted(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    (void)certificate;
    (void)key;
    struct probe *probe = probe_ssl.SSL_get_ex_data(ssl, 0);
    if (probe != NULL)
        probe->wants_certificate = true;
    return 0;
}

static SSL_CTX *context; /* of all connections; the program ends with it */

bool probe_start(char *error, size_t size)
{
    if (!probe_load(error, size))
        return false;
    context = probe_ssl.SSL_CTX_new(probe_ssl.TLS_client_method());
    if (context == NULL) {
        keep_error(error, size, "no memory");
        return false;
    }
    /* Whether certificates are good is not what is asked: nothing is verified (the default). */
    probe_ssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE,
                           SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL, NULL);
    probe_ssl.SSL_CTX_sess_set_new_cb(context, on_new);
    probe_ssl.SSL_CTX_set_client_cert_cb(context, on_wanted);
    return true;
}

static bool offer(SSL *ssl, const struct probe_ask *ask)
{
    const unsigned char *at = ask->session;
    if (at == NULL)
        return true;
    SSL_SESSION *session = probe_ssl.d2i_SSL_SESSION(NULL, &at, (long)ask->session_size);
    bool fine = session != NULL && probe_ssl.SSL_set_session(ssl, session) == 1;
    probe_ssl.SSL_SESSION_free(session);
    return fine;
}

static bool set_up(struct probe *probe, const struct probe_ask *ask)
{
    static const unsigned char http[] = "\x08http/1.1";
    SSL *ssl = probe->ssl;
    char name[256];
    probe_ssl.SSL_set_connect_state(ssl);
    if (probe_ssl.SSL_set_ex_data(ssl, 0, probe) != 1 ||
        probe_ssl.SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, ask->version, NULL) != 1 ||
        probe_ssl.SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, ask->version, NULL) != 1)
        return false;
    if (ask->no_ticket)
        probe_ssl.SSL_set_options(ssl, SSL_OP_NO_TICKET);
    /* 0 is success. */
    if (ask->http && probe_ssl.SSL_set_alpn_protos(ssl, http, sizeof(http) - 1) != 0)
        return false;
    if (ask->name != NULL) {
        snprintf(name, sizeof(name), "%s", ask->name);
        if (probe_ssl.SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                               name) != 1)
            return false;
    }
    return offer(ssl, ask);
}

struct probe *probe_new(const struct probe_ask *ask, char *error, size_t size)
{
    probe_ssl.ERR_clear_error();
    struct probe *probe = calloc(1, sizeof(*probe));
    if (probe == NULL) {
        snprintf(error, size, "no memory");
        return NULL;
    }
    probe->ssl = probe_ssl.SSL_new(context);
    probe->in = probe_ssl.BIO_new(probe_ssl.BIO_s_mem());
    probe->out = probe_ssl.BIO_new(probe_ssl.BIO_s_mem());
    if (probe->ssl == NULL || probe->in == NULL || probe->out == NULL) {
        keep_error(error, size, "no memory");
        probe_ssl.BIO_free(probe->in);
        probe_ssl.BIO_free(probe->out);
        probe_free(probe);
        return NULL;
    }
    probe_ssl.SSL_set_bio(probe->ssl, probe->in, probe->out); /* both are the SSL's from now on */
    if (!set_up(probe, ask)) {
        keep_error(error, size, "libssl refuses what is asked of it");
        probe_free(probe);
        return NULL;
    }
    return probe;
}

void probe_free(struct probe *probe)
{
    for (int i = 0; i < probe->count; i++)
        probe_ssl.SSL_SESSION_free(probe->sessions[i]);
    probe_ssl.SSL_free(probe->ssl);
    free(probe);
}

static int as_int(size_t size)
{
    return size < INT_MAX ? (int)size : INT_MAX;
}

size_t probe_take(struct probe *probe, void *bytes, size_t size)
{
    int got = probe_ssl.BIO_read(probe->out, bytes, as_int(size));
    return got > 0 ? (size_t)got : 0;
}

bool probe_give(struct probe *probe, const void *bytes, size_t size)
{
    return probe_ssl.BIO_write(probe->in, bytes, as_int(size)) == as_int(size);
}

/* What a call that has returned result means; the errors were cleared before it. */
static enum probe_step step(struct probe *probe, int result)
{
    if (result > 0)
        return PROBE_DONE;
    switch (probe_ssl.SSL_get_error(probe->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return PROBE_WANTS;
    case SSL_ERROR_ZERO_RETURN:
        return PROBE_ENDED;
    default:
        keep_error(probe->error, sizeof(probe->error), "the connection broke");
        return PROBE_FAILED;
    }
}

enum probe_step probe_early(struct probe *probe, const void *bytes, size_t size)
{
    size_t written;
    probe_ssl.ERR_clear_error();
    return step(probe, probe_ssl.SSL_write_early_data(probe->ssl, bytes, size, &written));
}

enum probe_step probe_handshake(struct probe *probe)
{
    probe_ssl.ERR_clear_error();
    enum probe_step step_taken = step(probe, probe_ssl.SSL_do_handshake(probe->ssl));
    /* A TLS 1.2 session that is resumed is not new, but a ticket that came with it is its own. */
    if (step_taken == PROBE_DONE && probe->count == 0 &&
        probe_ssl.SSL_version(probe->ssl) == TLS1_2_VERSION &&
        probe_ssl.SSL_session_reused(probe->ssl) == 1)
        probe->sessions[probe->count++] = probe_ssl.SSL_get1_session(probe->ssl);
    return step_taken;
}

enum probe_step probe_write(struct probe *probe, const void *bytes, size_t size)
{
    probe_ssl.ERR_clear_error();
    return step(probe, probe_ssl.SSL_write(probe->ssl, bytes, as_int(size)));
}

enum probe_step probe_read(struct probe *probe, void *bytes, size_t size, size_t *got)
{
    probe_ssl.ERR_clear_error();
    int result = probe_ssl.SSL_read(probe->ssl, bytes, as_int(size));
    *got = result > 0 ? (size_t)result : 0;
    return step(probe, result);
}

enum probe_step probe_close(struct probe *probe)
{
    probe_ssl.ERR_clear_error();
    int result = probe_ssl.SSL_shutdown(probe->ssl);
    return result >= 0 ? PROBE_DONE : step(probe, result);
}

const char *probe_error(const struct probe *probe)
{
    return probe->error;
}

void probe_look(const struct probe *probe, struct probe_seen *seen)
{
    const unsigned char *alpn = NULL;
    unsigned length = 0;
    const SSL_CIPHER *cipher = probe_ssl.SSL_get_current_cipher(probe->ssl);
    seen->version = probe_ssl.SSL_version(probe->ssl);
    seen->resumed = probe_ssl.SSL_session_reused(probe->ssl) == 1;
    seen->wants_certificate = probe->wants_certificate;
    seen->early_accepted =
        probe_ssl.SSL_get_early_data_status(probe->ssl) == SSL_EARLY_DATA_ACCEPTED;
    snprintf(seen->cipher, sizeof(seen->cipher), "%s",
             cipher != NULL ? probe_ssl.SSL_CIPHER_get_name(cipher) : "");
    probe_ssl.SSL_get0_alpn_selected(probe->ssl, &alpn, &length);
    snprintf(seen->alpn, sizeof(seen->alpn), "%.*s", (int)length,
             alpn != NULL ? (const char *)alpn : "");
}

size_t probe_certificate(const struct probe *probe, void *bytes, size_t room)
{
    SSL_SESSION *session = probe_ssl.SSL_get_session(probe->ssl);
    X509 *peer = session != NULL ? probe_ssl.SSL_SESSION_get0_peer(session) : NULL;
    int size = peer != NULL ? probe_ssl.i2d_X509(peer, NULL) : 0;
    unsigned char *at = bytes;
    if (size <= 0)
        return 0;
    if ((size_t)size <= room)
        probe_ssl.i2d_X509(peer, &at);
    return (size_t)size;
}

int probe_sessions(const struct probe *probe)
{
    return probe->count;
}

void probe_session(const struct probe *probe, int number, struct probe_session *session)
{
    const SSL_SESSION *from = probe->sessions[number];
    unsigned id_size = 0;
    *session = (struct probe_session){0};
    probe_ssl.SSL_SESSION_get0_ticket(from, &session->ticket, &session->ticket_size);
    session->id = probe_ssl.SSL_SESSION_get_id(from, &id_size);
    session->id_size = id_size;
    session->hint = probe_ssl.SSL_SESSION_get_ticket_lifetime_hint(from);
    session->max_early_data = probe_ssl.SSL_SESSION_get_max_early_data(from);
}

size_t probe_session_der(const struct probe *probe, int number, void *bytes, size_t room)
{
    int size = probe_ssl.i2d_SSL_SESSION(probe->sessions[number], NULL);
    unsigned char *at = bytes;
    if (size <= 0)
        return 0;
    if ((size_t)size <= room)
        probe_ssl.i2d_SSL_SESSION(probe->sessions[number], &at);
    return (size_t)size;
}
