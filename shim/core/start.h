/* start.h - what the Go half is started with. */
#ifndef GOSESS_CORE_START_H
#define GOSESS_CORE_START_H

#include "../../shim.h"

/* Once, before gosess_load: the table of libssl, and context_of_ctx of struct gosess_start. */
void gosess_start_with(const struct gosess_libssl *table,
                       struct gosess_context *(*context_of_ctx)(const SSL_CTX *ctx));

/* Loads the Go half, as gosess_core_load does. */
bool gosess_load(void);

#endif
