/* replay.h - takes libssl's anti-replay over. */
#ifndef GOSESS_SERVE_REPLAY_H
#define GOSESS_SERVE_REPLAY_H

#include "connection.h"

/*
 * Whether a server keeps early data from being replayed: then TLS 1.3 sessions are stateful,
 * and libssl resumes one only if it can remove it from its internal cache (L26).
 */
bool gosess_anti_replay(const SSL *ssl);

/* Makes libssl resume a session that was taken, although it is not in its own cache. */
void gosess_replay_take_over(struct gosess_connection *connection);

/*
 * Undoes that. Before every lookup: an SSL may have been cleared, which keeps options, and a
 * HelloRetryRequest makes a handshake ask again (L7).
 */
void gosess_replay_undo(struct gosess_connection *connection);

#endif
