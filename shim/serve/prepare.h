/* prepare.h - what is found and registered once, before the first context is attached. */
#ifndef GOSESS_SERVE_PREPARE_H
#define GOSESS_SERVE_PREPARE_H

#include <stdbool.h>

/*
 * Sets gosess_ssl; false, after a log line, where there is no libssl to serve or no memory. Not
 * with the setup lock: the dynamic linker has one of its own, which a library's constructor that
 * calls libssl runs under.
 */
bool gosess_prepare(const void *caller);

#endif
