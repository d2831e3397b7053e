/*
 * replay.c - takes libssl's anti-replay over.
 *
 * libssl refuses early data, and the resumption, unless it can remove the session from its
 * internal cache (L26), which is off. A session that was taken from the cache cannot be replayed,
 * so libssl need not look; the tickets of the connection must be stateful all the same.
 */
#define _GNU_SOURCE
#include "internal.h"

static int options_index; /* ex_data of an SSL: the options that were set here */

bool gosess_replay_prepare(const struct gosess_libssl *table)
{
    options_index =
        table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, NULL);
    return options_index >= 0;
}

void gosess_replay_take_over(SSL *ssl)
{
    uint64_t wanted = SSL_OP_NO_ANTI_REPLAY | SSL_OP_NO_TICKET;
    uint64_t ours = wanted & ~(uint64_t)gosess_ssl->SSL_get_options(ssl);
    if (gosess_ssl->SSL_set_ex_data(ssl, options_index, (void *)(uintptr_t)ours))
        gosess_ssl->SSL_set_options(ssl, wanted);
}

void gosess_replay_give_back(SSL *ssl)
{
    uintptr_t ours = (uintptr_t)gosess_ssl->SSL_get_ex_data(ssl, options_index);
    if (ours && gosess_ssl->SSL_set_ex_data(ssl, options_index, NULL))
        gosess_ssl->SSL_clear_options(ssl, ours);
}
