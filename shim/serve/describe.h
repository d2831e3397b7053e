/* describe.h - what an operator is told of a context when it is first served. */
#ifndef GOSESS_SERVE_DESCRIBE_H
#define GOSESS_SERVE_DESCRIBE_H

#include "context.h"

/*
 * An SSL is about to be made of a context, whose settings are the host's last ones, or is switched
 * to another one that is shown: a line of the log says where the sessions of the first one are
 * kept, what its tickets are sealed under, and what that means, under the name of the certificate
 * that is shown. Once for each context, and once for all that say the same. HAProxy's have no
 * certificate before the switch.
 */
void gosess_describe(struct gosess_context *context, struct gosess_context *shown);

#endif
