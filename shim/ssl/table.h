/* table.h - finds what is kept of an object of libssl by its address. */
#ifndef GOSESS_SSL_TABLE_H
#define GOSESS_SSL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gosess_kind {
    GOSESS_KIND_CTX,     /* an SSL_CTX: by_ctx of struct gosess_context */
    GOSESS_KIND_PARAM,   /* its X509_VERIFY_PARAM: by_param */
    GOSESS_KIND_SSL,     /* by_ssl of struct gosess_connection */
    GOSESS_KIND_SESSION, /* that a connection resumes: by_session */
    GOSESS_KIND_STORE,   /* an X509_STORE: ssl/hidden.c */
    GOSESS_KIND_STORED,  /* an SSL_SESSION: serve/stored.c */
};

/* A member of what is kept, in the table under an object's address. All 0: not in the table. */
struct gosess_link {
    const void *object;
    enum gosess_kind kind;
    struct gosess_link *next;
};

/* What a link is a member of. */
#define GOSESS_HOLDER(link, type, member) \
    ((struct type *)((uintptr_t)(link)-offsetof(struct type, member)))

/*
 * Any thread. What is found stays valid as long as the object does: its end takes it out. Taking
 * out what is not in the table does nothing.
 */
void gosess_table_add(struct gosess_link *link, enum gosess_kind kind, const void *object);
void gosess_table_remove(struct gosess_link *link);
struct gosess_link *gosess_table_find(enum gosess_kind kind, const void *object);

/* The first of several of which that is true. It is called with a lock, and must not block. */
struct gosess_link *gosess_table_find_that(enum gosess_kind kind, const void *object,
                                           bool (*that)(const struct gosess_link *));

#endif
