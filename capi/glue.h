/* glue.h - what Go asks of libssl, gathered so that a callback crosses few times. */
#ifndef GOSESS_GLUE_H
#define GOSESS_GLUE_H

#include "../shim.h"

/* The types of the callbacks' arguments, as cgo can name them in an export. */
typedef const unsigned char gosess_const_uchar;
typedef const struct gosess_start gosess_const_start;

/* Where a session belongs: what two handshakes must share to share it. */
struct gosess_origin {
    const unsigned char *context; /* the digest of the context: GOSESS_DIGEST_SIZE bytes */
    const char *server_name;      /* not terminated; borrowed from the SSL */
    size_t server_name_length;
};

/* A session, taken apart. */
struct gosess_record {
    struct gosess_origin origin;
    const unsigned char *id; /* borrowed from the session */
    unsigned id_length;
    unsigned char *der; /* owned: gosess_record_free */
    size_t der_length;
    int64_t expires; /* unix seconds */
};

/* Keeps the table for what follows. Before any of it. */
void gosess_glue_start(const struct gosess_start *start);

/* The session of a new-session callback. False where it cannot be stored. */
bool gosess_record_new(SSL *ssl, SSL_SESSION *session, struct gosess_record *record);
void gosess_record_free(struct gosess_record *record); /* zeroes the DER */

/* The origin of a get-session callback: the server name comes from the raw ClientHello. */
bool gosess_origin_get(SSL *ssl, struct gosess_origin *origin);

/* A new object with one reference, from a store's bytes; NULL where they are not the
 * session of that id, whole. The connection remembers when it ends. */
SSL_SESSION *gosess_session_decode(SSL *ssl, const unsigned char *der, size_t der_length,
                                   const unsigned char *id, int id_length, int64_t expires);

/* The context digest of a remove-session callback, and the id. */
bool gosess_record_removed(SSL_CTX *ctx, SSL_SESSION *session, struct gosess_record *record);

/* Whether a stored session has the master key of this one. */
bool gosess_same_session(SSL_SESSION *session, const unsigned char *der, size_t der_length);

/* Blocks every asynchronous signal in this thread, for good. */
void gosess_block_signals(void);

void gosess_log_text(enum gosess_log_level level, enum gosess_log_cause cause, const char *text);

#endif
