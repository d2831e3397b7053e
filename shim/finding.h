/*
 * finding.h - what the parts of the C half say to each other that find things: in libssl, in the
 * host's binaries, and of an object by its address.
 *
 *   libssl.c   finds the host's libssl
 *   function.c names a function of the host
 *   table.c    finds what is kept of an object by its address
 *   digest.c   SHA-256 of several things
 *   shared.c   contexts in memory that processes share
 */
#ifndef GOSESS_SHIM_FINDING_H
#define GOSESS_SHIM_FINDING_H

#include "internal.h"

/* --- libssl.c --- */

/* Every function that is interposed. */
#define GOSESS_INTERPOSED(X)              \
    X(CRYPTO_get_ex_new_index)            \
    X(SSL_CONF_CTX_set_flags)             \
    X(SSL_CTX_add_session)                \
    X(SSL_CTX_callback_ctrl)              \
    X(SSL_CTX_ctrl)                       \
    X(SSL_CTX_flush_sessions)             \
    X(SSL_CTX_flush_sessions_ex)          \
    X(SSL_CTX_new)                        \
    X(SSL_CTX_new_ex)                     \
    X(SSL_CTX_remove_session)             \
    X(SSL_CTX_sess_get_get_cb)            \
    X(SSL_CTX_sess_get_new_cb)            \
    X(SSL_CTX_sess_get_remove_cb)         \
    X(SSL_CTX_sess_set_get_cb)            \
    X(SSL_CTX_sess_set_new_cb)            \
    X(SSL_CTX_sess_set_remove_cb)         \
    X(SSL_CTX_set0_CA_list)               \
    X(SSL_CTX_set_cert_cb)                \
    X(SSL_CTX_set_cert_verify_callback)   \
    X(SSL_CTX_set_client_CA_list)         \
    X(SSL_CTX_set_client_hello_cb)        \
    X(SSL_CTX_set_session_ticket_cb)      \
    X(SSL_CTX_set_verify)                 \
    X(SSL_CTX_up_ref)                     \
    X(SSL_CTX_use_cert_and_key)           \
    X(SSL_CTX_use_certificate)            \
    X(SSL_CTX_use_certificate_ASN1)       \
    X(SSL_CTX_use_certificate_chain_file) \
    X(SSL_CTX_use_certificate_file)       \
    X(SSL_SESSION_set_ex_data)            \
    X(SSL_free)                           \
    X(SSL_new)                            \
    X(SSL_set_SSL_CTX)                    \
    X(SSL_set_cert_cb)                    \
    X(X509_VERIFY_PARAM_set_purpose)      \
    X(X509_VERIFY_PARAM_set_trust)        \
    X(capset)                             \
    X(chroot)                             \
    X(initgroups)                         \
    X(prctl)                              \
    X(seccomp_load)                       \
    X(setegid)                            \
    X(seteuid)                            \
    X(setgid)                             \
    X(setgroups)                          \
    X(setregid)                           \
    X(setresgid)                          \
    X(setresuid)                          \
    X(setreuid)                           \
    X(setrlimit)                          \
    X(setrlimit64)                        \
    X(setuid)

enum gosess_interposed {
#define X(name) GOSESS_AT_##name,
    GOSESS_INTERPOSED(X)
#undef X
};

/*
 * The next definition of an interposed function after ours: what the host would have called
 * without us. caller is the return address in the host, which finds a libssl that is loaded
 * with RTLD_LOCAL. NULL where there is none. Any thread.
 */
void *gosess_next(enum gosess_interposed function, const void *caller);

/* gosess_next, in the body of our own definition of a function. */
#define GOSESS_NEXT(name) \
    ((__typeof__(&(name)))gosess_next(GOSESS_AT_##name, __builtin_return_address(0)))

/*
 * Looks all of them up: while the Go half is being loaded, which may take long, the dynamic
 * linker is locked, and no call of the host shall wait for that.
 */
void gosess_find_all(const void *caller);

/* Whether an address is in the host's libssl. Once there is a table of it. */
bool gosess_is_libssl(const void *address);

/* Whether this process has loaded a libssl, and was not linked to it. */
bool gosess_has_loaded_libssl(void);

/*
 * Fills the table from the host's libssl. NULL, or the name of a function that is missing.
 */
const char *gosess_find_libssl(struct gosess_libssl *table, const void *caller);

/* --- function.c --- */

#define GOSESS_BUILD_ID_SIZE 20 /* of what the linker writes by default */

/* What a function is called in every process of the same binaries, wherever they are loaded. */
struct gosess_function {
    char object[NAME_MAX + 1]; /* the file's name, without its folder */
    unsigned char build[GOSESS_BUILD_ID_SIZE];
    uint64_t offset; /* in it */
};

/* False for code that is in no file, which an interpreter made, or in one without a build id. */
bool gosess_function_name(uintptr_t address, struct gosess_function *function);

/* Whether a function lies in an object of one of these file names, up to a dot that follows. */
bool gosess_function_is_of(uintptr_t address, const char *const names[], size_t count);

/* --- table.c --- */

enum gosess_kind {
    GOSESS_KIND_CTX,     /* an SSL_CTX: by_ctx of struct gosess_attached */
    GOSESS_KIND_PARAM,   /* its X509_VERIFY_PARAM: by_param */
    GOSESS_KIND_SSL,     /* by_ssl of struct gosess_connection */
    GOSESS_KIND_SESSION, /* that a connection resumes: by_session */
};

/* A member of what is kept, in the table under an object's address. All 0: not in the table. */
struct gosess_link {
    const void *object;
    enum gosess_kind kind;
    struct gosess_link *next;
};

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

/* Held across fork, so that a child never finds a lock taken. */
void gosess_table_lock(void);
void gosess_table_unlock(void);

/* --- digest.c --- */

/* A digest that is being made; it fails at its end if anything before has failed. */
struct gosess_digest {
    SHA256_CTX context;
    bool ok;
};

void gosess_digest_begin(struct gosess_digest *digest);
void gosess_digest_add(struct gosess_digest *digest, const void *data, size_t length);
void gosess_digest_add_number(struct gosess_digest *digest, uint64_t number);
void gosess_digest_add_text(struct gosess_digest *digest, const char *text); /* NULL is "" */
/* Of libcrypto's allocation, which is freed; NULL, or a length that is not positive: it fails. */
void gosess_digest_add_der(struct gosess_digest *digest, unsigned char *der, int length);
bool gosess_digest_end(struct gosess_digest *digest, unsigned char out[GOSESS_DIGEST_SIZE]);

/* --- shared.c --- */

/*
 * Whether an object of OpenSSL lies in memory that other processes have too, by the host's own
 * memory functions: then nothing may be kept of it here, which a line says. Keeps errno.
 */
bool gosess_shared_memory(const void *object);

#endif
