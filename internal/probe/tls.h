/*
 * tls.h - one TLS connection of a client, without a socket: bytes are given and taken, so nothing
 * here ever waits. The socket, its deadlines and its limits are conn.go's.
 *
 * A connection is used by one thread at a time, which may be another one at each call.
 */
#ifndef PROBE_TLS_H
#define PROBE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a step says. */
enum probe_step {
    PROBE_DONE,
    PROBE_WANTS,  /* bytes of the server */
    PROBE_ENDED,  /* the server has said goodbye */
    PROBE_FAILED, /* probe_error says why */
};

struct probe_ask {
    int version;         /* TLS1_2_VERSION or TLS1_3_VERSION, and no other */
    bool no_ticket;      /* the session ticket extension is left out */
    const char *name;    /* SNI; NULL: none */
    bool http;           /* ALPN says http/1.1 */
    const void *session; /* DER, to be offered; NULL: none */
    size_t session_size;
};

struct probe_seen {
    int version;
    bool resumed;
    bool early_accepted;
    bool wants_certificate; /* the server asked for one of the client's */
    char cipher[64], alpn[32];
};

/* A session that the server has given; what it points to is the connection's. */
struct probe_session {
    const unsigned char *ticket, *id;
    size_t ticket_size, id_size;
    unsigned long hint; /* seconds */
    uint32_t max_early_data;
};

struct probe;

/* Once, before all others. False with the reason where there is no libssl that serves. */
bool probe_start(char *error, size_t size);

/* The libssl that was loaded, as it names itself. */
const char *probe_libssl(void);

/* NULL where libssl refuses, with the reason. */
struct probe *probe_new(const struct probe_ask *ask, char *error, size_t size);
void probe_free(struct probe *probe);

/* Bytes that are to go to the server, and bytes that have come from it. */
size_t probe_take(struct probe *probe, void *bytes, size_t size);
bool probe_give(struct probe *probe, const void *bytes, size_t size);

/* Before the handshake, with a session that allows it. */
enum probe_step probe_early(struct probe *probe, const void *bytes, size_t size);
enum probe_step probe_handshake(struct probe *probe);
enum probe_step probe_write(struct probe *probe, const void *bytes, size_t size);
enum probe_step probe_read(struct probe *probe, void *bytes, size_t size, size_t *got);
/* Says goodbye. What the server has still to say can be read. */
enum probe_step probe_close(struct probe *probe);
const char *probe_error(const struct probe *probe);

void probe_look(const struct probe *probe, struct probe_seen *seen);
/* The server's certificate as DER: its size, 0 for none. Only where there is room is it written. */
size_t probe_certificate(const struct probe *probe, void *bytes, size_t room);
/* How many sessions have been given, those that are kept. */
int probe_sessions(const struct probe *probe);
void probe_session(const struct probe *probe, int number, struct probe_session *session);
/* As DER, like probe_certificate. */
size_t probe_session_der(const struct probe *probe, int number, void *bytes, size_t room);

#endif
