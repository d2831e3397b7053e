/* text.c - texts for the operator. */
#define _GNU_SOURCE
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

bool gosess_fail(char *error, size_t error_size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, error_size, format, arguments);
    va_end(arguments);
    return false;
}

void gosess_size_text(uint64_t size, char text[24])
{
    static const char suffixes[] = {'g', 'm', 'k'};
    for (int i = 0; i < 3; i++) {
        unsigned shift = 10 * (3 - (unsigned)i);
        if (size != 0 && size % (UINT64_C(1) << shift) == 0) {
            snprintf(text, 24, "%llu%c", (unsigned long long)(size >> shift), suffixes[i]);
            return;
        }
    }
    snprintf(text, 24, "%llu", (unsigned long long)size);
}
