/* spelling.h - names that are nearly others. */
#ifndef GOSESS_CONFIG_SPELLING_H
#define GOSESS_CONFIG_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a word becomes the name by one letter more, one less, another one, or two that change
 * places. The name itself is not nearly the name.
 */
bool gosess_is_nearly(const char *word, size_t length, const char *name);

#endif
