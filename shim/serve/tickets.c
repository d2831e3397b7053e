/*
 * tickets.c - session tickets that all processes of a cache open: GOSESS_TICKETS=shared.
 *
 * libssl asks for the keys of a ticket by one of two callbacks, of the context that the SSL was
 * made of (T2). Ours answers with keys that are derived of a secret of the time and of the terms of
 * the connection, so that a ticket is noise wherever a full handshake would be another. What is not
 * ours is left to the host's callback, and else to the context's own key, which libssl would have
 * used.
 */
#define _GNU_SOURCE
#include "tickets.h"

#include <stdatomic.h>

#include "../base/locks.h"
#include "../base/log.h"
#include "../config/environment.h"
#include "../ssl/digest.h"
#include "../ssl/function.h"
#include "../ssl/libssl.h"
#include "connection.h"
#include "ours.h"
#include "theirs.h"

/*
 * Without memory for a connection nothing of it is known but the context that it has by now; and if
 * that is not known either, not whose keys libssl would take.
 */
static int answer(SSL *ssl, unsigned char *name, unsigned char *iv, const struct gosess_cipher *to,
                  bool encrypts)
{
    struct gosess_connection *connection = gosess_connection_of(ssl);
    struct gosess_context *first = gosess_first_of(ssl, connection);
    int status = GOSESS_NOT_OURS;
    if (!first)
        return encrypts ? gosess_ticket_nobodys(ssl, name, iv, to) : GOSESS_TICKET_REFUSED;
    if (connection && gosess_tickets_shared)
        status = encrypts ? gosess_ticket_seal(connection, name, iv, to)
                          : gosess_ticket_open(connection, name, iv, to);
    if (status == GOSESS_NOT_OURS) {
        status = gosess_ticket_theirs(first, ssl, name, iv, to, encrypts);
        if (connection && !encrypts && status == GOSESS_TICKET_REFUSED)
            connection->given.fate = GOSESS_FATE_UNKNOWN;
    }
    return status;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     HMAC_CTX *hmac, int encrypts)
{
    return answer(ssl, name, iv, &(struct gosess_cipher){.cipher = cipher, .hmac = hmac}, encrypts);
}

static int on_ticket_evp(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                         EVP_MAC_CTX *mac, int encrypts)
{
    return answer(ssl, name, iv, &(struct gosess_cipher){.cipher = cipher, .mac = mac}, encrypts);
}

/* --- what libssl holds --- */

static long set_callback(const struct gosess_context *context, gosess_ticket_cb callback)
{
    __typeof__(&SSL_CTX_callback_ctrl) next = GOSESS_NEXT(SSL_CTX_callback_ctrl);
    return next ? next(context->ctx, SSL_CTRL_SET_TLSEXT_TICKET_KEY_CB, (void (*)(void))callback)
                : 0;
}

/* False where there is no such kind. */
static bool set_evp_callback(const struct gosess_context *context, gosess_ticket_evp_cb callback)
{
    __typeof__(&SSL_CTX_set_tlsext_ticket_key_evp_cb) next =
        GOSESS_NEXT(SSL_CTX_set_tlsext_ticket_key_evp_cb);
    return next && next(context->ctx, callback) == 1;
}

/* It is for HMAC as libcrypto itself has it, which is no part of a FIPS module: fips_module(7). */
static bool may_use_old_kind(void)
{
    int (*is_enabled)(OSSL_LIB_CTX *) = gosess_ssl->EVP_default_properties_is_fips_enabled;
    return !is_enabled || is_enabled(NULL) == 0;
}

/*
 * Of the two kinds libssl calls that of 3.0, where it is set (T3). A host's callback needs what its
 * own kind is handed, so ours is of the kind of the host's. Where it has none, ours is of the old
 * kind, which costs each ticket less (T30), if this libssl has it. With the setup lock.
 */
static long put_ours(const struct gosess_context *context)
{
    gosess_ticket_cb callback = atomic_load(&context->tickets.callback);
    gosess_ticket_evp_cb evp = atomic_load(&context->tickets.evp);
    if (!evp && (callback || may_use_old_kind()) && set_callback(context, on_ticket) != 0) {
        set_evp_callback(context, NULL);
        return 1;
    }
    if (set_evp_callback(context, on_ticket_evp))
        return set_callback(context, callback);
    set_evp_callback(context, NULL);
    return set_callback(context, on_ticket);
}

static void say_forgets(void)
{
    static const char text[] = "tickets under the server's own keys: each that TLS 1.3 uses is "
                               "followed by another, which the server forgets";
    gosess_log_once(GOSESS_LOG_INFO, gosess_fnv(GOSESS_FNV_START, text, sizeof text), "%s", text);
}

/*
 * Of a context that was not seen from birth it is not known what callback the host has set. The
 * ciphers of another library context are not those that we set: the default one may have none.
 */
void gosess_tickets_serve(struct gosess_context *context)
{
    struct gosess_ticket_hosts *tickets = &context->tickets;
    if (!context->cache || !context->from_birth || context->own_algorithms ||
        atomic_load(&tickets->ours) || (!gosess_tickets_shared && !atomic_load(&tickets->forgets)))
        return;
    if (atomic_load(&tickets->forgets))
        say_forgets();
    gosess_lock(GOSESS_LOCK_SETUP);
    if (!atomic_load(&tickets->ours)) /* by another thread, which has connections by now */
        put_ours(context);
    atomic_store(&tickets->ours, true);
    gosess_unlock(GOSESS_LOCK_SETUP);
}

/* Whether the callback that libssl calls, of the two that there may be (T3), forgets. Setup lock.
 */
static void note_forgets(struct gosess_ticket_hosts *tickets)
{
    gosess_ticket_evp_cb evp = atomic_load(&tickets->evp);
    uintptr_t called = evp ? (uintptr_t)evp : (uintptr_t)atomic_load(&tickets->callback);
    atomic_store(&tickets->forgets, gosess_ticket_forgets(called));
}

long gosess_tickets_set(struct gosess_context *context, gosess_ticket_cb callback)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    atomic_store(&context->tickets.callback, callback);
    note_forgets(&context->tickets);
    long set =
        atomic_load(&context->tickets.ours) ? put_ours(context) : set_callback(context, callback);
    gosess_unlock(GOSESS_LOCK_SETUP);
    return set;
}

int gosess_tickets_set_evp(struct gosess_context *context, gosess_ticket_evp_cb callback)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    atomic_store(&context->tickets.evp, callback);
    note_forgets(&context->tickets);
    bool set = atomic_load(&context->tickets.ours) ? put_ours(context) != 0
                                                   : set_evp_callback(context, callback);
    gosess_unlock(GOSESS_LOCK_SETUP);
    return set;
}

/* One that has no name, as an interpreter made it, is that of this context alone. */
static uint64_t add_function(uint64_t sum, uintptr_t address, const struct gosess_owner *owner)
{
    struct gosess_function name;
    if (gosess_function_name(address, &name))
        return gosess_fnv(sum, &name, sizeof name);
    return gosess_fnv(gosess_fnv(sum, owner->random, sizeof owner->random), &address,
                      sizeof address);
}

void gosess_tickets_set_data(struct gosess_context *context, uintptr_t made, uintptr_t read)
{
    uint64_t sum = GOSESS_FNV_START;
    if (made)
        sum = add_function(sum, made, &context->owner);
    if (read)
        sum = add_function(sum, read, &context->owner);
    atomic_store(&context->tickets.data, made || read ? sum | 1 : 0);
}
