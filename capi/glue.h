/* glue.h - what the C files of the Go half say to each other and to Go. */
#ifndef GOSESS_GLUE_H
#define GOSESS_GLUE_H

#include "../shim.h"

#include "../shim/far/window.h"

/* As cgo can name them. */
typedef struct gosess_request gosess_request;
typedef const struct gosess_scope gosess_const_scope;
typedef const struct gosess_source gosess_const_source;
typedef struct gosess_wanted gosess_wanted;
typedef const struct gosess_owner gosess_const_owner;

/* --- glue.c: what Go asks of C --- */

/* Keeps what follows from it. Before any of it. */
void gosess_glue_start(const struct gosess_start *start);

/* Logs an error; the text is not terminated. */
void gosess_log_text(enum gosess_log_cause cause, const char *text, size_t length);

/*
 * Leaves what is mapped around an object of Go's heap out of core dumps, as what was sealed and
 * the keys for it lie there. Best effort: what the heap grows by later is not covered.
 */
void gosess_leave_out_of_core_dumps(uintptr_t object);

/* Adds a reference. */
void gosess_retain(SSL_SESSION *session);

/* struct gosess_start. */
bool gosess_same_object(SSL_SESSION *session, SSL_SESSION *other);
bool gosess_same_bytes(SSL_SESSION *session, const unsigned char *der, size_t der_length);

/* Adds a session that has left to the answer of a request. */
void gosess_leave(struct gosess_request *request, SSL_SESSION *session, bool silent, bool evicted);

/* --- threads.c --- */

/*
 * Blocks every asynchronous signal in this thread, for good. Returns when so many threads are
 * in here.
 */
void gosess_settle_thread(int threads);

/* Whether the runtime made this thread. In a handler of any thread. */
bool gosess_is_own_thread(pid_t thread);

/* --- gate.c --- */

/* Once, before anything is called in Go. */
void gosess_gate_prepare(const struct gosess_start *start);

/* Has a request served in Go, on this thread or on the one that waits for such (L44). */
void gosess_gate_pass(struct gosess_request *request);

/* Serves the requests of threads that do not go in themselves, for good. */
_Noreturn void gosess_gate_serve(void);

#endif
