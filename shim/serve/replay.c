/*
 * replay.c - takes libssl's anti-replay over.
 *
 * libssl refuses early data, and the resumption, unless it can remove the session from its
 * internal cache (L26), which is off. A session that was taken from the cache cannot be replayed,
 * so libssl need not look; the tickets of the connection must be stateful all the same.
 */
#define _GNU_SOURCE
#include "replay.h"

#include "../ssl/libssl.h"

bool gosess_anti_replay(const SSL *ssl)
{
    return gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION &&
           gosess_ssl->SSL_get_max_early_data(ssl) > 0 &&
           !(gosess_ssl->SSL_get_options(ssl) & SSL_OP_NO_ANTI_REPLAY);
}

void gosess_replay_take_over(struct gosess_connection *connection)
{
    uint64_t wanted = SSL_OP_NO_ANTI_REPLAY | SSL_OP_NO_TICKET;
    connection->options = wanted & ~(uint64_t)gosess_ssl->SSL_get_options(connection->ssl);
    gosess_ssl->SSL_set_options(connection->ssl, wanted);
}

void gosess_replay_undo(struct gosess_connection *connection)
{
    if (connection->options)
        gosess_ssl->SSL_clear_options(connection->ssl, connection->options);
    connection->options = 0;
}
