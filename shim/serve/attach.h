/* attach.h - what comes with the life of a context: its cache, its connections, its end. */
#ifndef GOSESS_SERVE_ATTACH_H
#define GOSESS_SERVE_ATTACH_H

#include "context.h"

/* Registers the index of ex_data that tells when an SSL_CTX ends. Before the host forks. */
bool gosess_attach_prepare(const struct gosess_libssl *table);

/* Of what a context was made: SSL_CTX_new_ex(3). */
struct gosess_origin {
    const OSSL_LIB_CTX *library;            /* NULL is the default one */
    const char *query;                      /* for algorithms; NULL is none */
    const struct gosess_observed *observed; /* what libssl has set in it by itself */
};

/* Watches a context that was just made, so that its terms are known when it is switched to. */
void gosess_watch(SSL_CTX *ctx, const struct gosess_origin *origin);

/*
 * Attaches a cache to a context: put makes libssl hold the callbacks of gosess, which takes the
 * place of libssl's cache then, with the setup lock; NULL: it is only said which cache
 * gosess_new_session_cb and its relations use. False: out of memory.
 */
bool gosess_attach(SSL_CTX *ctx, struct gosess_cache *cache,
                   void (*put)(struct gosess_context *context));

void gosess_detach(struct gosess_context *context);

/*
 * An SSL is about to be switched to a context. GOSESS_TICKETS=stateful is put on contexts in use
 * only, another one may be half configured; and before the switch, because a host may give the
 * connection the options of the other context then (nginx).
 */
void gosess_before_switch(const SSL *ssl, struct gosess_context *context);

/* An SSL is about to be made of a context; and was. */
void gosess_before_ssl(struct gosess_context *context);
void gosess_after_ssl(SSL *ssl, struct gosess_context *context);

#endif
