/* dryrun.h - what opening a store would do. */
#ifndef GOSESS_CONFIG_DRYRUN_H
#define GOSESS_CONFIG_DRYRUN_H

#include "url.h"

/* gosess_store_open of store.h without making, changing or locking anything: its answer, and in
 * the note what it would do, in words. */
bool gosess_store_check(const struct gosess_url *url, const char *keys_file, char *note,
                        char *error, size_t error_size);

#endif
