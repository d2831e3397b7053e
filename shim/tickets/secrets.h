/* secrets.h - the secrets of tickets that a process has of one cache, and what is derived of them.
 */
#ifndef GOSESS_TICKETS_SECRETS_H
#define GOSESS_TICKETS_SECRETS_H

#include "derive.h"

/* In memory that is left out of core dumps, and of the swap where the process may. Any thread. */
struct gosess_secrets;

struct gosess_secrets *gosess_secrets_make(void);         /* empty; NULL without memory */
void gosess_secrets_free(struct gosess_secrets *secrets); /* zeroes; NULL is fine */

/* Keeps them out of the swap, which a child has to do itself; false where it may not (errno). NULL
 * is fine. */
bool gosess_secrets_lock(struct gosess_secrets *secrets);

/* Whether they have been asked for. */
bool gosess_secrets_asked(const struct gosess_secrets *secrets);

/*
 * Whether the secrets are to be asked for, now and by this thread: no other is told so for a
 * minute, or until they have been, unless it has none to seal under meanwhile. A clock may have
 * been set back since: they are asked for once a period. And so they are where tickets are to be
 * used for longer than was said then, in keep.
 */
bool gosess_secrets_due(struct gosess_secrets *secrets, int64_t now, int64_t period, int64_t keep);

/* They have been asked for, in vain or not: what is missing now is not there for others either. */
void gosess_secrets_answered(struct gosess_secrets *secrets);

/*
 * Takes over what was asked for; complete says that the next one is there too. What is not among
 * them is kept until its time is over: a store may have lost it. They are asked for again when the
 * period is over, or in so many seconds, until the one of the period has been replaced once: a
 * store whose secrets cannot be opened is no reason to make one after the other.
 */
void gosess_secrets_set(struct gosess_secrets *secrets, const struct gosess_wanted *wanted,
                        bool complete, int64_t now, int64_t good_for);

/*
 * Zeroes those whose time is over, and what was derived of them. Returns the last second of the
 * next one; 0: there is none. Costs nothing before that.
 */
int64_t gosess_secrets_expire(struct gosess_secrets *secrets, int64_t now);

/* Zeroes all of them, and has them asked for again: some may be used no more. */
void gosess_secrets_forget(struct gosess_secrets *secrets);

/*
 * The id, and the keys for an identity, of the secret that is sealed under now; and where that is
 * counted, or NULL. False where there is none. Here it is kept until then, but no longer than
 * secrets are.
 */
bool gosess_secrets_seal(struct gosess_secrets *secrets, int64_t now, int64_t until,
                         const unsigned char identity[GOSESS_DIGEST_SIZE],
                         unsigned char id[GOSESS_SECRET_ID_SIZE], struct gosess_ticket_keys *keys,
                         uint64_t **tally);

/* Where is counted what is done with the secret of an id; NULL: nowhere. */
uint64_t *gosess_secrets_tally(struct gosess_secrets *secrets, int64_t now,
                               const unsigned char id[GOSESS_SECRET_ID_SIZE]);

/* Whether a ticket is sealed under one of these; nothing else would be its key's name. */
bool gosess_secrets_know(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char id[GOSESS_SECRET_ID_SIZE]);

/*
 * The keys for an identity of the secret of an id, and when its period begins. False where there is
 * none.
 */
bool gosess_secrets_open(struct gosess_secrets *secrets, int64_t now,
                         const unsigned char id[GOSESS_SECRET_ID_SIZE],
                         const unsigned char identity[GOSESS_DIGEST_SIZE],
                         struct gosess_ticket_keys *keys, int64_t *begins);

#endif
