/* describe.h - what an operator is told of a context when it is first served. */
#ifndef GOSESS_SERVE_DESCRIBE_H
#define GOSESS_SERVE_DESCRIBE_H

#include "context.h"

/*
 * An SSL is about to be made of a context, whose settings are the host's last ones: a line of the
 * log says where its sessions are kept, what its tickets are sealed under, and what that means.
 * Once for each context, and once for all that say the same.
 */
void gosess_describe(struct gosess_context *context);

#endif
