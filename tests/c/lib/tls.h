/*
 * tls.h - TLS clients and servers for the test programs: both ends in one process, or the
 * server in a child. Whatever a program prints is the same in every run: no pointers, no
 * times, no numbers of processes.
 */
#ifndef GOSESS_TESTS_TLS_H
#define GOSESS_TESTS_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* --- scenario.c --- */

struct scenario {
    const char *name;
    void (*run)(void);
};

/* Runs the scenarios that the arguments name, in their order; all of them without arguments. */
int run_scenarios(int argc, char **argv, const struct scenario *scenarios, size_t count);

/* Prints a line, at once. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the program with a line that says what was expected. */
_Noreturn void give_up(const char *file, int line, const char *expected);
#define MUST(expression) ((expression) ? (void)0 : give_up(__FILE__, __LINE__, #expression))

/* --- certificate.c --- */

/* Self-signed P-256 certificates, made in this process: the same one for a name each time. */
void use_certificate(SSL_CTX *ctx, const char *name);
X509 *certificate_of(const char *name);

/* --- tls.c --- */

/* TLS 1.2 or 1.3 in what follows; the argument --tls1.2 or --tls1.3 sets it, 1.2 is the default. */
extern int tls_version;

/* A server's context: that version, the certificate "server", no tickets (stateful in 1.3). */
SSL_CTX *new_server(void);
/* A client's; with the certificate client_name, where that is not NULL. */
SSL_CTX *new_client(void);
extern const char *client_name;

/* Where it is not NULL, the nanoseconds that libssl takes for the server are added to it. */
extern _Thread_local long long *server_time;

struct connection {
    SSL *client, *server;
    bool done; /* the handshake is */
};

/* Both ends over memory. The session and the server name may be NULL. */
struct connection open_connection(SSL_CTX *server, SSL_CTX *client, SSL_SESSION *session,
                                  const char *name);
/* Takes both ends as far as they come; the client reads the tickets too. */
bool shake_hands(struct connection *connection);
/* Reads and drops what is on its way to either end. */
void drain(struct connection *connection);
/* A copy of the client's session that can be used many times. */
SSL_SESSION *client_session(struct connection *connection);
const char *outcome(struct connection *connection); /* "full", "resumed" or "failed" */

enum ending { CLEAN, UNCLEAN, ALERT };
void close_connection(struct connection *connection, enum ending ending);

/*
 * Shakes hands, and ends the connection and its client's context. Returns its outcome, and the
 * client's session, which there has to be, unless made is NULL.
 */
const char *meet_once(struct connection *connection, SSL_CTX *client, SSL_SESSION **made);

/* One clean connection: *session is used and replaced. Returns its outcome. */
const char *visit(SSL_CTX *server, SSL_CTX *client, SSL_SESSION **session, const char *name);
/* The same with fresh client contexts and without replacing the session. */
const char *full(SSL_CTX *server, SSL_SESSION **session, const char *name);
const char *again(SSL_CTX *server, SSL_SESSION *session, const char *name);
/* Says the outcomes of both, one after the other. */
void serve_twice(SSL_CTX *server);
/* The same fifty times, without a word: of the second ones each must be resumed. */
void serve_hundred(SSL_CTX *server);

/*
 * A child that serves one connection of this context, and exits 0; the client's end is here.
 * Says how the child ended where it was not with 0.
 */
const char *visit_child(SSL_CTX *server, SSL_SESSION **session, void (*before)(void));
/* Waits for a child and says how it ended, where that is not with 0. */
void wait_child(int pid);
/* Runs in a child, which is ended by its own alarm where it hangs. */
void in_child(void (*run)(void));
int count_threads(void); /* of this process */
bool is_loaded(void);    /* the Go half, in it */
/* Says whether the Go half is in this process, and more than its own thread. */
void say_loaded(const char *who);

#endif
