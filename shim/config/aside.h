/* aside.h - what becomes of a store that is of no use any more. */
#ifndef GOSESS_CONFIG_ASIDE_H
#define GOSESS_CONFIG_ASIDE_H

#include <limits.h>

#include "check.h"

/* Names PATH.old. True where the store can be kept there: nothing is, or a store of this
 * user's, which makes way. Anything else is somebody's, and stays. */
bool gosess_aside_name(const char *path, char old[PATH_MAX]);

/* Keeps the store as PATH.old or, where it cannot be, removes it, and notes which. */
bool gosess_put_aside(enum gosess_header_state state, const struct gosess_report *report);

#endif
