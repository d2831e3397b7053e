/* start.c - what the Go half is started with. */
#define _GNU_SOURCE
#include "start.h"

#include "../base/log.h"
#include "gate.h"
#include "load.h"

static struct gosess_start start;

static void log_text(enum gosess_log_level level, enum gosess_log_cause cause, const char *text)
{
    gosess_log(level, cause, "%s", text);
}

void gosess_start_with(const struct gosess_libssl *table,
                       struct gosess_context *(*context_of_ctx)(const SSL_CTX *ctx))
{
    start = (struct gosess_start){table, context_of_ctx, gosess_gate_pass, log_text};
}

bool gosess_load(void)
{
    return gosess_core_load(&start);
}
