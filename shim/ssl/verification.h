/* verification.h - how a context verifies clients, in what is cheap to compare. */
#ifndef GOSESS_SSL_VERIFICATION_H
#define GOSESS_SSL_VERIFICATION_H

#include "../../shim.h"

typedef int (*gosess_servername_cb)(SSL *, int *, void *);
typedef int (*gosess_status_cb)(SSL *, void *);
typedef SSL_CTX_alpn_select_cb_func gosess_alpn_cb;

/*
 * What a host was observed to set of a context, and to do with it, where libssl has no getter for
 * that, or not in every version.
 */
struct gosess_observed {
    _Atomic unsigned lists;     /* lists of CA names that it was given: see INTERPOSE_LIST_SETTER */
    _Atomic unsigned verifiers; /* changes of SSL_CTX_set_cert_verify_callback */
    _Atomic uintptr_t verifier; /* the callback of the last one */
    _Atomic uintptr_t argument; /* and its argument */
    X509_STORE *_Atomic store;  /* of SSL_CTX_set1_verify_cert_store; the context's reference */
    _Atomic int purpose, trust; /* of the context's X509_VERIFY_PARAM */
    _Atomic bool copied;        /* that was copied from another, of which they are not known */
    _Atomic bool names;         /* it has had names that a client's certificate must have */
    _Atomic uint64_t signatures, client_signatures; /* digests of what clients may sign with */
    _Atomic uint64_t client_types;                  /* and of their kinds of certificates */
    _Atomic uint64_t groups;                        /* and of those that an SSL may use */
    _Atomic bool identifies; /* it has had a callback that tells who a client is: PSK, SRP */
    _Atomic bool judges;     /* and one for an extension of a client's certificate */
    _Atomic gosess_servername_cb servername; /* SSL_CTX_set_tlsext_servername_callback */
    _Atomic gosess_alpn_cb alpn;             /* SSL_CTX_set_alpn_select_cb */
    _Atomic gosess_status_cb status;         /* SSL_CTX_set_tlsext_status_cb */
    _Atomic bool hello;                      /* it has a ClientHello callback */
    _Atomic bool chooses_in_hello;           /* that of a host which is known to choose there */
    _Atomic bool switched_twice;             /* and was seen to switch once more, later */
    _Atomic bool switched_nameless;          /* it was seen to switch clients without a name */
    _Atomic bool parses;  /* it has had a callback for an extension of the ClientHello */
    _Atomic bool chooses; /* it has had a callback that may choose for each connection */
};

/* An X509_VERIFY_PARAM, in numbers: no padding, so it can be compared and digested as a whole. */
struct gosess_param {
    uint64_t flags, inherit_flags, depth, auth_level, host_flags, purpose, trust;
    unsigned char names[GOSESS_DIGEST_SIZE]; /* a digest of hosts, email and address; 0: none */
};

#define GOSESS_STORE_FUNCTIONS 10 /* that a host may give an X509_STORE, besides the callback */

/*
 * What a context's policy is worked out from, by name: it changes only when the host configures
 * the context. No padding either. Without verification all is 0 but the first three.
 */
struct gosess_verification {
    uint64_t mode, security_level, security_callback; /* 0: libssl's own */
    uint64_t lists, name_count;                       /* of CA names */
    uint64_t store, trusted;                          /* the store and how much is in it */
    uint64_t changes;                                 /* of all stores: gosess_store_changes */
    uint64_t callback, store_callback; /* SSL_CTX_set_verify, X509_STORE_set_verify_cb */
    uint64_t verifier, argument;       /* SSL_CTX_set_cert_verify_callback */
    uint64_t store_functions[GOSESS_STORE_FUNCTIONS];
    uint64_t signatures, client_signatures, client_types;
    struct gosess_param param, store_param;
};

/*
 * What a parameter has that can be read: no trust, and before 3.5 no purpose. False where libcrypto
 * fails.
 */
bool gosess_read_param(X509_VERIFY_PARAM *param, struct gosess_param *out);

/* The store that a context looks clients' certificates up in as revoked; NULL: it does not. */
X509_STORE *gosess_revocation_store(SSL_CTX *ctx, const struct gosess_observed *observed);

/* SSL_CTX_ctrl(3) has set something: true where it is of this. */
bool gosess_observe_setting(struct gosess_observed *observed, int command, long number,
                            void *value);

/* Takes over what was observed before its context was known. */
void gosess_observe_settings(struct gosess_observed *observed, const struct gosess_observed *born);

/* False where libcrypto fails, or not all can be known. Cheap. */
bool gosess_read_verification(SSL_CTX *ctx, const struct gosess_observed *observed,
                              struct gosess_verification *verification);

#endif
