/* glue.c - what Go asks of C. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "glue.h"

#define GO_ARENA (64 << 20) /* runtime/malloc.go, heapArenaBytes of 64-bit Linux */

#define LINE_SIZE 1024 /* more of a text is not logged: shim/base/log.c */

static const struct gosess_start *start;

void gosess_glue_start(const struct gosess_start *given)
{
    start = given;
}

void gosess_log_text(enum gosess_log_cause cause, const char *text, size_t length)
{
    char line[LINE_SIZE];
    snprintf(line, sizeof(line), "%.*s", length < sizeof(line) ? (int)length : LINE_SIZE, text);
    start->log(GOSESS_LOG_ERROR, cause, line);
}

void gosess_leave_out_of_core_dumps(uintptr_t object)
{
    uintptr_t arena = object & ~((uintptr_t)GO_ARENA - 1);
    madvise((void *)arena, GO_ARENA, MADV_DONTDUMP); /* says ENOMEM of the part that is not there */
}

void gosess_retain(SSL_SESSION *session)
{
    start->retain(session);
}

bool gosess_same_object(SSL_SESSION *session, SSL_SESSION *other)
{
    return start->same_object(session, other);
}

bool gosess_same_bytes(SSL_SESSION *session, const unsigned char *der, size_t der_length)
{
    return start->same_bytes(session, der, der_length);
}

/*
 * Where there is no memory for the note, the reference is never given back. It cannot be given back
 * here: to free a session may call functions of the host, and those must not run in Go. Nor would
 * the host know that the session has ended, as nobody calls its remove callback.
 */
void gosess_leave(struct gosess_request *request, SSL_SESSION *session, bool silent, bool evicted)
{
    struct gosess_leaving *note = malloc(sizeof(*note));
    request->evicted += evicted;
    if (!note)
        return;
    *note = (struct gosess_leaving){.session = session, .silent = silent};
    if (request->leaving)
        request->last->next = note;
    else
        request->leaving = note;
    request->last = note;
}
