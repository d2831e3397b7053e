/*
 * shim.h - the private contract between the two halves of gosess.
 *
 * libgosess.so (the C half) loads libgosess-core.so (the Go half) in the
 * process that serves, after the last fork, and calls it through the functions
 * below. Both halves include this file; capi/ checks it against the header that
 * cgo generates. Nothing here is public: see include/gosess.h for that.
 */
#ifndef GOSESS_SHIM_H
#define GOSESS_SHIM_H

/* The digests of libcrypto that need no provider (OSSL_PROVIDER-null(7)) are deprecated in 3.0. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/async.h>
#include <openssl/ssl.h>

#include "include/gosess.h"
#include "shim/base/locks.h"

/* Raised with every change of this file that an older half would not survive. */
#define GOSESS_CORE_ABI 16

/* In the section .gosess of both halves, for whoever looks at the files: gosess version. */
#define GOSESS_TEXT_OF(number) #number
#define GOSESS_MARK_OF(abi) GOSESS_VERSION " " GOSESS_TEXT_OF(abi)
#define GOSESS_MARK(name)                                                \
    __attribute__((used, section(".gosess"))) static const char name[] = \
        GOSESS_MARK_OF(GOSESS_CORE_ABI)

/*
 * Threads that are in the Go half at the same moment, and what is started for what blocks in
 * the kernel besides. A server that forbids new threads (S1) gets no more.
 */
#define GOSESS_PROCESSORS 4
#define GOSESS_SPARE_THREADS 3

#define GOSESS_KEY_SIZE 32    /* bytes of one sealing key */
#define GOSESS_DIGEST_SIZE 32 /* bytes of a context digest: SHA-256 */

/* The header at the start of a shm store: docs/shm-format.md. */
#define GOSESS_SHM_MAGIC "gosess\r\n"
#define GOSESS_SHM_VERSION 10
#define GOSESS_SHM_HEADER_SIZE 64
#define GOSESS_SHM_ID_SIZE 16
enum gosess_shm_header {
    GOSESS_SHM_AT_MAGIC = 0,
    GOSESS_SHM_AT_VERSION = 8,
    GOSESS_SHM_AT_HEADER_SIZE = 12,
    GOSESS_SHM_AT_SIZE = 16,
    GOSESS_SHM_AT_CREATED = 24,
    GOSESS_SHM_AT_ID = 32,
    GOSESS_SHM_AT_KIND = 48,
    GOSESS_SHM_AT_CHECKSUM = 60,
};

/* Of the store of a fleet, which ends with a window: docs/fleet-format.md. */
#define GOSESS_SHM_KIND_FLEET 1

/*
 * The mask of a thread in or of the Go half: a handler of the host that ran there would run on
 * a goroutine's small stack. Not those that Go or a sanitizer needs for itself.
 */
static inline void gosess_asynchronous_signals(sigset_t *set)
{
    static const int kept[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigfillset(set);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        sigdelset(set, kept[i]);
}

/* Levels of GOSESS_LOG. */
enum gosess_log_level {
    GOSESS_LOG_OFF,
    GOSESS_LOG_ERROR,
    GOSESS_LOG_INFO,
    GOSESS_LOG_DEBUG,
};

/* What a log line is about: one line per cause and minute. */
enum gosess_log_cause {
    GOSESS_CAUSE_CONFIG, /* GOSESS_CACHE, its files and keys */
    GOSESS_CAUSE_CORE,   /* the Go half: missing, wrong, slow, not allowed to start */
    GOSESS_CAUSE_STORE,  /* an entry or the mapping that cannot be used */
    GOSESS_CAUSE_PANIC,  /* a bug of the Go half, caught at the boundary */
    GOSESS_CAUSE_LOG,    /* the file of GOSESS_LOG */
    GOSESS_CAUSE_COUNT,
};

#define GOSESS_LABEL_SIZE 40 /* bytes; terminated where it is shorter */

/*
 * Whose sessions they are: what the Go half sees of a context. Its address names the context as
 * long as the SSL_CTX lives.
 */
struct gosess_owner {
    /* Random bytes that only this context has, and its copies in processes forked from this one. */
    unsigned char random[GOSESS_DIGEST_SIZE];
    /* What its certificate is for, for people, before anything is asked: shim/serve/label.c. */
    char label[GOSESS_LABEL_SIZE];
};

/* Why a session is kept in its process, in the order of the counters: sessioncache/counters.go. */
enum gosess_reason {
    GOSESS_REASON_UNKNOWN, /* its terms are not known */
    GOSESS_REASON_DATA,    /* the host keeps data with sessions, or account of them */
    GOSESS_REASON_RULES,   /* the connection verifies by rules of its own */
    GOSESS_REASON_CHAIN,   /* the bytes lack what the peer has sent */
    GOSESS_REASON_LARGE,   /* the store has no room for it */
    GOSESS_REASON_ADDED,   /* the host has added it */
    GOSESS_REASONS,
};

/*
 * Under which circumstances a session is made or asked for. Its terms are a digest of what a full
 * handshake presents and demands: all certificates, the security level and the policy for client
 * certificates.
 */
struct gosess_scope {
    struct gosess_owner *owner; /* the context that the SSL was made from (L1) */
    const char *server_name;    /* that the client asked for; borrowed, not terminated */
    size_t server_name_length;
    bool any_name; /* nobody can say which one: libssl resumes it under any */
    unsigned char terms[GOSESS_DIGEST_SIZE];
    bool known;   /* the terms are, and the host will not switch to others */
    bool demands; /* the connection wants a certificate of the client */
    uint64_t own; /* how the connection verifies by itself; 0: as its context does */
    bool shared;  /* processes may share the session: the terms are known, and its bytes are all of
                     it */
    enum gosess_reason reason; /* why a new session is not shared, where it is not */
    bool live;      /* a new session that may not be shared may be kept in this process */
    bool resumed;   /* the connection has resumed a session, of which a new one is made */
    int chain;      /* bytes of the chain that the peer sent, which those of a session lack (L40) */
    bool host_data; /* the host may keep data with a session: no other object may take its place */
    /*
     * The host may switch to another context after the lookup: then the terms that count are those
     * that the server name was seen to lead to, and a full handshake shows which these are.
     */
    bool routed;
    uint32_t generation; /* of the process's contexts: what a name led to before says nothing now */
    int64_t flushed; /* what others have made and ends before, unix seconds, the host has flushed */
    uint64_t place;  /* where the connection arrived: a name may lead elsewhere at another port */
};

/* Where the sessions of a cache live. */
struct gosess_source {
    const char *scheme; /* of the URL: which kind of store it is */
    void *mapping;      /* of a shm store, shared and writable */
    uint64_t size;      /* bytes: of the mapping, or that live sessions may take up */
    const unsigned char (*keys)[GOSESS_KEY_SIZE]; /* of a mapping; newest first; copied */
    unsigned key_count;
    unsigned long libssl; /* OpenSSL_version_num(3) of the host's: others may ask what runs here */
};

#define GOSESS_SECRET_SIZE 32
#define GOSESS_SECRET_ID_SIZE 8 /* what a ticket says of it */
#define GOSESS_SECRETS_MAX 660  /* more than a store has room for */

/* What session tickets of one period are sealed under. Unix seconds. */
struct gosess_secret {
    unsigned char value[GOSESS_SECRET_SIZE];
    int64_t begins, next; /* its period, and the one after it */
    int64_t ends;         /* the last second in which a ticket of it may be used */
    bool seals;           /* and not only opens */
    uint64_t *tally;      /* in the mapping of a store: see below; NULL: nothing is counted */
};

/* What is counted of a secret: sessioncache/record.go. */
enum gosess_tally {
    GOSESS_TALLY_MADE,
    GOSESS_TALLY_ACCEPTED,
    GOSESS_TALLIES,
};

/*
 * The counters of tickets, by their number: sessioncache/counters.go. The C half adds to them where
 * they lie, atomically, so that a ticket costs no call into Go.
 */
enum gosess_ticket_counter {
    GOSESS_TICKETS_MADE = 23,
    GOSESS_TICKETS_ACCEPTED,
    GOSESS_TICKETS_UNKNOWN,
    GOSESS_TICKETS_ENDED,
    GOSESS_TICKETS_REFUSED,
};

/* Where a process counts, in all and for one context; NULL: nowhere. */
struct gosess_counters {
    uint64_t *process, *context;
};

/* The secrets that are wanted, and those that there are. */
struct gosess_wanted {
    int64_t now;          /* unix seconds */
    int64_t period, keep; /* seconds: how long one is, and how long after it tickets may be used */
    unsigned char fresh[2][GOSESS_SECRET_SIZE]; /* random, for those that have to be made */
    struct gosess_secret secrets[GOSESS_SECRETS_MAX];
    unsigned count;
};

/*
 * How to see that an answer still holds, which was found in a mapping: as long as a word of that
 * has the value, and another one has counted no further than the span from where it was.
 */
struct gosess_watch {
    const uint64_t *word; /* NULL: that cannot be seen */
    uint64_t value;
    const uint64_t *clock;
    uint64_t since, span;
    int64_t until; /* unix seconds: the last one in which it holds */
};

/* A session that has left a cache, with the reference that the cache had. */
struct gosess_leaving {
    SSL_SESSION *session;
    bool silent; /* nobody is told: another took its place, or it was a copy */
    struct gosess_leaving *next;
};

/*
 * What a cache is asked to do. In brackets what it reads of a request besides the cache. A kind of
 * store that has nothing to do for an operation leaves the request as it is.
 */
enum gosess_operation {
    GOSESS_OPEN,   /* [source] result: the number of the new cache, or -1 after one log line */
    GOSESS_CLOSE,  /* forgets the cache, which no context uses; its mapping may be unmapped then */
    GOSESS_CLEAR,  /* drops every session, without callbacks */
    GOSESS_COUNT,  /* stats: all but the size */
    GOSESS_NUMBER, /* [owner] result: sessions, in a shared store those of all its processes */
    /*
     * [owner, before] The sessions of the owner, and of its copies in forked processes, that
     * end before a time, 0: all. A shared store drops what has expired by itself.
     */
    GOSESS_FLUSH,
    GOSESS_FORGET, /* [owner] its live sessions leave: it is about to end */
    /*
     * [scope, id, der, expires; copy, size] Stores bytes in a shared store, and keeps the copy of
     * what they are. result: 1; 0 where it cannot; GOSESS_TOO_BIG
     */
    GOSESS_SHARE,
    /*
     * [owner, scope, id, session, expires, size, limit, der] Keeps the object itself, in this
     * process; bytes of the session that are stored make way, unless they are these. result: 1, and
     * the caller's reference is the cache's; 0 where it is stored already or cannot be
     */
    GOSESS_KEEP,
    /*
     * [owner, scope, id, take, ticket, der] Looks a session up. Then session or copy is an
     * object, with a reference for the caller, or der has der_length bytes; bound, ends and seal
     * say of what.
     */
    GOSESS_FIND,
    GOSESS_ROUTE,   /* [scope] result: 1 where it is known what its name leads to: terms, watch */
    GOSESS_SECRETS, /* [wanted] the secrets of tickets. result: 1, or 0 where the next is missing */
    GOSESS_COUNTERS, /* [owner] counters: those of this process and the owner, in a mapping */
    /*
     * Zeroes the secrets that it keeps of tickets whose time is over. result: 1 where there may be
     * secrets that it keeps no more, as they were sealed under a key that was given up
     */
    GOSESS_EXPIRE,
    GOSESS_LEARN,     /* [scope] its server name leads to its terms, as a handshake has shown */
    GOSESS_KEEP_COPY, /* [seal, copy, size] keeps an object that was made of the bytes */
    /* [owner, id, session] removed: it was stored, and not another one under its id (L15) */
    GOSESS_REMOVE,
    /*
     * [id, session, der, ends, expires] The host has changed a session: what a shared store has of
     * it becomes these bytes, or goes where there are none. It ended then, and ends now.
     */
    GOSESS_CHANGE,
    /* [given_up] What was found is a miss: the connection cannot use it, or it cannot be decoded */
    GOSESS_MISSED,
    GOSESS_OPERATIONS,
};

/* What the agent of the machine is asked for: docs/fleet-format.md. */
enum gosess_far_operation {
    GOSESS_FAR_GET,        /* to put the session into the near store */
    GOSESS_FAR_TAKE,       /* that nobody else who takes it is told that it has it */
    GOSESS_FAR_GET_RECORD, /* to put the record into the near store */
};

#define GOSESS_FAR_KEYS 7
#define GOSESS_FAR_KEY_SIZE 16

/* What a request lacks, and the far store may have. */
struct gosess_far {
    bool asked; /* the agent was, and it may be in the near store now */
    unsigned operation;
    unsigned count; /* of the keys; 0: nothing is to be asked for */
    unsigned char keys[GOSESS_FAR_KEYS][GOSESS_FAR_KEY_SIZE];
};

#define GOSESS_TOO_BIG (-1)  /* a result: a shared store has no room for so large a session */
#define GOSESS_DER_SIZE 6144 /* bytes: the largest session of a shared store */
#define GOSESS_SEAL_SIZE 16  /* bytes that name what is in a shared store */

/*
 * One operation, and its answer. It belongs to the thread that asks, which has zeroed what is not
 * said. What it points to is borrowed for the call, but for what the operation says.
 */
struct gosess_request {
    enum gosess_operation operation;
    int cache; /* of GOSESS_OPEN */
    const struct gosess_owner *owner;
    const struct gosess_scope *scope;

    const struct gosess_source *source;
    struct gosess_stats *stats;
    struct gosess_wanted *wanted;
    struct gosess_far *far; /* FIND, REMOVE, CHANGE, SECRETS, SHARE; NULL: nobody can be asked */
    int64_t before;         /* unix seconds */

    const unsigned char *id;
    unsigned id_length;
    bool take;       /* the session must not be found again, by anybody */
    bool ticket;     /* of TLS 1.3, where a client uses each once */
    int64_t expires; /* unix seconds: the last one in which it may be found */
    int size;        /* bytes that the object, or the copy, takes up */
    int limit;       /* sessions that the owner may have; 0: any number */
    bool given_up;   /* the server has given up the cipher of the session, or its version of TLS */

    long result;
    SSL_SESSION *session;
    SSL_SESSION *copy;  /* with a reference, which the cache takes by setting it to NULL */
    unsigned char *der; /* FIND: room for GOSESS_DER_SIZE bytes */
    size_t der_length;
    unsigned char seal[GOSESS_SEAL_SIZE];
    int64_t ends;                            /* unix seconds */
    bool bound;                              /* it was found in a shared store */
    unsigned char terms[GOSESS_DIGEST_SIZE]; /* and was made under these */
    struct gosess_watch watch;
    struct gosess_counters counters;
    bool removed;
    SSL_SESSION *was; /* REMOVE: the object that was kept, with the cache's reference */
    /* The C half calls remove callbacks with no lock held, and frees. In order. */
    struct gosess_leaving *leaving, *last;
    unsigned evicted; /* of these: for the size limit of the context (SSL_CTX_sess_cache_full) */
};

/* What the Go half is started with. All of it stays valid until the process ends. */
struct gosess_start {
    bool limited; /* the memory of the process is: the Go half has what it will ever have */
    /* Called in Go, where no function of the host may be: they wait for nothing. */
    int (*retain)(SSL_SESSION *session); /* adds a reference */
    /* Whether a session and another object, or stored bytes, have the same master key. */
    bool (*same_object)(SSL_SESSION *session, SSL_SESSION *other);
    bool (*same_bytes)(SSL_SESSION *session, const unsigned char *der, size_t der_length);
    /* shim/base/locks.h: the locks of both halves have one order. */
    void (*lock)(enum gosess_lock lock);
    void (*unlock)(enum gosess_lock lock);
    void (*wait)(enum gosess_lock lock, pthread_cond_t *condition);
    bool (*wait_until)(enum gosess_lock lock, pthread_cond_t *condition,
                       const struct timespec *deadline);
    /*
     * Does what is to be done although nobody asks, in the thread of gosess_core_work and not in
     * Go, and returns after how many seconds to do it again.
     */
    int64_t (*tidy)(void);
    /* The one logger. Any thread. */
    void (*log)(enum gosess_log_level level, enum gosess_log_cause cause, const char *text);
    /* NULL outside of an ASYNC job, whose stack is too small for Go (L44). */
    ASYNC_JOB *(*current_job)(void);
};

/*
 * What libgosess-core.so exports. The C half checks gosess_core_abi before it calls anything, and
 * calls gosess_core_start once, with every asynchronous signal blocked.
 */
extern const unsigned gosess_core_abi;

/*
 * Makes every thread that the Go half will ever need. 0, or -1 after one log line. Returns
 * only when all of that is done.
 */
int gosess_core_start(const struct gosess_start *start);

/* Does the work of threads that do not go into Go themselves, for good. */
_Noreturn void gosess_core_work(void);

/* Serves a request. In any thread; no signal and no cancellation comes meanwhile. */
void gosess_core_serve(struct gosess_request *request);

/* Whether the runtime made this thread, which lives. In a handler of any thread. */
bool gosess_core_owns_thread(pid_t thread);

#endif
